#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// Length of the valid UTF-8 sequence at the start of `text`; 0: none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong_or_surrogate =
      (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return overlong_or_surrogate ? 0 : length;
}

template <typename OnUnreadable>
void each_character(std::string_view text, std::string& into, const OnUnreadable& on_unreadable) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) {
      if (!on_unreadable(text.front())) return;
    } else {
      into += text.substr(0, length);
    }
    text.remove_prefix(std::max(length, std::size_t{1}));
  }
}

// The level and the text after it: "ERROR", "[031]: ..." of "2026-11-21 01:20:23.353 P00  ERROR:
// ...".
struct LevelLine {
  std::string_view level;
  std::string_view text;
};

std::optional<LevelLine> parse_level(std::string_view line) {
  constexpr std::string_view levels[] = {"ERROR", "WARN", "INFO", "DETAIL"};
  for (const auto level : levels) {
    const auto at = line.find(level);
    if (at == std::string_view::npos || at > 40) continue;
    const auto rest = line.substr(at + level.size());
    const bool at_start = at == 0 || line[at - 1] == ' ';
    if (at_start && rest.starts_with(": ")) return LevelLine{level, trim(rest.substr(2))};
  }
  return {};
}

int parse_code(std::string_view text) {
  int code = 0;
  if (text.size() > 4 && text.front() == '[') {
    std::from_chars(text.data() + 1, text.data() + text.size(), code);
  }
  return code;
}

// "'/path/to/file'" anywhere, or "repo1: 15-1/.../file [FormatError] ..." as archive-get writes it.
std::string file_in(std::string_view text) {
  for (auto from = text.find('\''); from != std::string_view::npos; from = text.find('\'', from)) {
    const auto to = text.find('\'', from + 1);
    if (to == std::string_view::npos) break;
    const auto quoted = text.substr(from + 1, to - from - 1);
    if (quoted.find('/') != std::string_view::npos) return std::string(quoted);
    from = to + 1;
  }
  if (!text.starts_with("repo")) return {};
  const auto colon = text.find(": ");
  const auto bracket = text.find(" [");
  if (colon == std::string_view::npos || bracket == std::string_view::npos ||
      bracket <= colon + 2) {
    return {};
  }
  const auto path = text.substr(colon + 2, bracket - colon - 2);
  return path.find(' ') == std::string_view::npos ? std::string(path) : std::string();
}

void find_file(ToolMessage& message) {
  message.file = file_in(message.text);
  for (const auto* lines : {&message.details, &message.warnings}) {
    for (const auto& line : *lines) {
      if (message.file.empty()) message.file = file_in(line);
    }
  }
}

}  // namespace

std::string replace_unreadable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  each_character(text, result, [&](char unreadable) {
    result += unreadable == '\n' || unreadable == '\t' ? unreadable : '?';
    return true;
  });
  return result;
}

std::string excerpt(std::string_view text, std::size_t length) {
  std::string result;
  bool cut = false;
  each_character(text, result, [&](char unreadable) {
    const bool blank = unreadable == '\n' || unreadable == '\t' || unreadable == '\r';
    if (blank) result += ' ';
    cut = !blank;
    return blank;
  });
  if (result.size() > length) {
    auto end = length;
    while (end > 0 && (static_cast<unsigned char>(result[end]) & 0xc0U) == 0x80) --end;
    result.resize(end);
    cut = true;
  }
  return std::string(trim(result)) + (cut ? " ..." : "");
}

bool ToolMessage::mentions(std::string_view words) const {
  const auto has = [&](const std::string& line) { return line.find(words) != std::string::npos; };
  return has(text) || std::ranges::any_of(details, has) || std::ranges::any_of(warnings, has);
}

std::string ToolMessage::decisive() const {
  std::string result = text;
  std::size_t added = 0;
  for (const auto* lines : {&details, &warnings}) {
    for (const auto& line : *lines) {
      // A retry repeats the cause.
      if (line.find("on retry after") != std::string::npos || added == 2) continue;
      result += (result.ends_with(':') ? " " : "; ") + line;
      ++added;
    }
  }
  return result;
}

ToolMessage parse_tool_message(std::string_view output) {
  ToolMessage message;
  std::vector<std::string>* below = nullptr;
  for (const auto line : lines_of(output)) {
    const auto level = parse_level(line);
    if (!level && below != nullptr && line.starts_with(' ')) {
      const auto text = trim(line);
      constexpr std::string_view hint = "HINT: ";
      auto& lines = text.starts_with(hint) ? message.hints : *below;
      auto detail = excerpt(text.starts_with(hint) ? text.substr(hint.size()) : text);
      // A file and its copy usually fail with the same message.
      if (std::ranges::find(lines, detail) == lines.end()) lines.push_back(std::move(detail));
    } else if (level && level->level == "ERROR" && message.text.empty()) {
      message.code = parse_code(level->text);
      message.text = excerpt(level->text);
      below = &message.details;
    } else if (level && level->level == "WARN" && message.text.empty()) {
      message.warnings.push_back(excerpt(level->text));
      below = &message.warnings;
    } else {
      below = nullptr;
    }
  }
  find_file(message);
  return message;
}

}  // namespace pgrehearse
