#include "harness/process/stream_text.hpp"

#include <utility>

namespace pgrehearse {

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 16;

}  // namespace

void StreamText::take(std::string_view piece) {
  text_ += piece;
  if (text_.size() > 2 * command_.keep_output) trim();
  if (!command_.on_line) return;
  for (const char c : piece) {
    if (c == '\n' || line_.size() >= longest_line) emit_line();
    if (c != '\n') line_ += c;
  }
}

void StreamText::end() {
  if (!line_.empty()) emit_line();
}

std::string StreamText::release() {
  trim();
  return std::move(text_);
}

void StreamText::trim() {
  if (text_.size() <= command_.keep_output) return;
  text_.erase(0, text_.size() - command_.keep_output);
  truncated_ = true;
}

void StreamText::emit_line() {
  if (command_.on_line) command_.on_line(line_);
  line_.clear();
}

}  // namespace pgrehearse
