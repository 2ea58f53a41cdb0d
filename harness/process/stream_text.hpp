// One output stream of a command: bounded text for the result, complete lines for on_line.
#pragma once

#include <string>
#include <string_view>

#include "harness/process/command.hpp"

namespace pgrehearse {

class StreamText {
 public:
  // `command` must outlive this object.
  explicit StreamText(const Command& command) : command_(command) {}

  void take(std::string_view piece);
  // Emits a last line without a newline.
  void end();
  // Returns the kept text; take() must not be called afterwards.
  std::string release();
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  void trim();
  void emit_line();

  const Command& command_;
  std::string text_;
  std::string line_;
  bool truncated_ = false;
};

}  // namespace pgrehearse
