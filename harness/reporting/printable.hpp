// Makes untrusted text (object names, log lines) safe for a terminal, and measures it in columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// Control characters, invalid UTF-8 and characters that reorder the line become visible escapes
// ("\n", "\x1b", "\u202e"), so that text cannot move the cursor, change colors or hide text.
std::string printable(std::string_view text);

// The same, but line feeds and tabs are kept.
std::string printable_lines(std::string_view text);

// The same as one line: each line break, with the blanks around it, becomes one space.
std::string printable_on_one_line(std::string_view text);

// Width of printable text; wide East Asian characters take two columns.
std::size_t columns_of(std::string_view text);

// At most `columns` wide; ends with "..." if shortened.
std::string cut_to(std::string_view text, std::size_t columns);

// The same, but shortened between words if possible.
std::string cut_between_words(std::string_view text, std::size_t columns);

// Lines of at most `columns`, broken at line breaks and spaces. A command in quotes ('pgrehearse
// map FILE') or a word of up to 200 columns (a path, a label) is never broken: its line may be
// longer. Never empty.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

// Padded with spaces to `columns`; longer text is not shortened.
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

}  // namespace pgrehearse
