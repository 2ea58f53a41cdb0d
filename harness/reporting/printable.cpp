#include "harness/reporting/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "harness/common/text.hpp"
#include "harness/common/utf8.hpp"

namespace pgrehearse {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool within(char32_t code, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const Range& range) {
    return range.first <= code && code <= range.last;
  });
}

// Controls, line separators, and the marks that turn the direction of writing or are invisible.
bool is_hidden(char32_t code) {
  constexpr std::array<Range, 9> ranges{{{0x00, 0x1F},
                                         {0x7F, 0x9F},
                                         {0xAD, 0xAD},
                                         {0x61C, 0x61C},
                                         {0x200B, 0x200F},
                                         {0x2028, 0x202E},
                                         {0x2060, 0x206F},
                                         {0xFEFF, 0xFEFF},
                                         {0xFFFE, 0xFFFF}}};
  return within(code, ranges);
}

std::size_t columns_of_character(char32_t code) {
  constexpr std::array<Range, 4> combining{
      {{0x300, 0x36F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  constexpr std::array<Range, 9> wide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
  if (within(code, combining)) return 0;
  return within(code, wide) ? 2 : 1;
}

std::string escaped(const Utf8Character& character, std::string_view bytes) {
  if (!character.valid) return fmt::format("\\x{:02x}", static_cast<std::uint8_t>(bytes.front()));
  switch (character.code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return character.code < 0x80
                 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(character.code))
                 : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.code));
  }
}

std::string escape_hidden(std::string_view text, bool keep_lines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool kept = keep_lines && (character.code == '\n' || character.code == '\t');
    if (character.valid && (kept || !is_hidden(character.code))) {
      shown += text.substr(0, character.length);
    } else {
      shown += escaped(character, text);
    }
    text.remove_prefix(character.length);
  }
  return shown;
}

std::string with_spaces(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '\t', ' ');
  return spaced;
}

// The length of the command in quotes that `text` begins with, with the quotes and what follows
// them without a space; 0 if it begins with something else.
std::size_t length_of_command(std::string_view text) {
  constexpr std::array<std::string_view, 8> programs{
      "pgrehearse ", "pgbackrest ", "psql ", "pg_", "kubectl ", "docker ", "podman ", "sudo "};
  if (text.empty() || (text.front() != '\'' && text.front() != '`')) return 0;
  const auto rest = text.substr(1);
  if (std::ranges::none_of(programs, [&](auto program) { return rest.starts_with(program); })) {
    return 0;
  }
  const auto close = text.find(text.front(), 1);
  if (close == std::string_view::npos) return 0;
  return std::min(text.find(' ', close), text.size());
}

// Takes the next word, or a whole command in quotes, from `text`.
std::string_view take_word(std::string_view& text) {
  const auto command = length_of_command(text);
  const auto length = command > 0 ? command : std::min(text.find(' '), text.size());
  const auto word = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return word;
}

// The bytes of the longest beginning of `text` that fits; at least one character.
std::size_t length_within(std::string_view text, std::size_t columns) {
  std::size_t length = 0;
  std::size_t taken = 0;
  while (length < text.size()) {
    const auto character = first_character(text.substr(length));
    taken += columns_of_character(character.code);
    if (taken > columns && length > 0) break;
    length += character.length;
  }
  return length;
}

}  // namespace

std::string printable(std::string_view text) { return escape_hidden(text, false); }

std::string printable_lines(std::string_view text) { return escape_hidden(text, true); }

std::string printable_on_one_line(std::string_view text) {
  std::string line;
  for (const auto part : split(text, '\n')) {
    auto shown = printable(with_spaces(trim(part)));
    if (!line.empty() && !shown.empty()) line += ' ';
    line += shown;
  }
  return line;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    columns += columns_of_character(character.code);
    text.remove_prefix(character.length);
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  constexpr std::string_view mark = "...";
  if (columns <= mark.size()) return std::string(mark.substr(0, columns));
  return std::string(text.substr(0, length_within(text, columns - mark.size()))) +
         std::string(mark);
}

std::string cut_between_words(std::string_view text, std::size_t columns) {
  auto cut = cut_to(text, columns);
  if (cut == text) return cut;
  const auto space = cut.rfind(' ');
  if (space == std::string::npos || space < cut.size() / 2) return cut;
  const auto end = cut.find_last_not_of(" ,;:", space);
  return cut.substr(0, end + 1) + "...";
}

namespace {

// Paths and labels are shorter.
constexpr std::size_t longest_word = 200;

void wrap_line(std::string_view text, std::size_t columns, std::vector<std::string>& lines) {
  std::string line;
  while (!text.empty()) {
    const bool command = length_of_command(text) > 0;
    auto word = take_word(text);
    if (word.empty()) continue;
    if (!line.empty() && columns_of(line) + 1 + columns_of(word) <= columns) {
      line.append(" ").append(word);
      continue;
    }
    if (!line.empty()) lines.push_back(std::move(line));
    const bool breakable = !command && columns_of(word) > longest_word;
    while (breakable && columns_of(word) > columns) {
      const auto length = length_within(word, columns);
      lines.emplace_back(word.substr(0, length));
      word.remove_prefix(length);
    }
    line = word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
}

}  // namespace

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  for (const auto part : split(text, '\n')) wrap_line(with_spaces(part), columns, lines);
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::string pad_right(std::string_view text, std::size_t columns) {
  const auto taken = columns_of(text);
  return std::string(text) + std::string(columns > taken ? columns - taken : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
  const auto taken = columns_of(text);
  return std::string(columns > taken ? columns - taken : 0, ' ') + std::string(text);
}

}  // namespace pgrehearse
