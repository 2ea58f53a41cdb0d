// Small functions on text that the standard library lacks.
#pragma once

#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

std::vector<std::string_view> split(std::string_view text, char separator);
// Without the empty line after a final newline.
std::vector<std::string_view> lines_of(std::string_view text);
std::string_view trim(std::string_view text);
// The number that `text` begins with; 0 if it begins with something else, or is too large.
template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
std::string join(std::span<const std::string> parts, std::string_view separator);

// For "did you mean": the candidate with the fewest edits, at most a third of its length (but one
// is always allowed; swapping two adjacent letters is one edit). Otherwise the first candidate that
// begins with `word`, if `word` has at least three letters. nullopt when there is none.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// `word` in single quotes with inner quotes doubled: an SQL literal or a postgresql.conf value
// (backslashes doubled as well).
std::string quote_setting(std::string_view word);

}  // namespace pgrehearse
