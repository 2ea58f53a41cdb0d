// Text from outside (object names, log lines) made fit for a terminal, and measured in its columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// Control characters, invalid UTF-8 and characters that reorder the line become visible escapes
// ("\n", "\x1b", "\u202e"): nothing in it can move a cursor, change a colour or hide text.
std::string printable(std::string_view text);

// The same without the escapes for line feed and tabulator, for places where lines are wanted.
std::string printable_lines(std::string_view text);

// The columns that printable text takes; wide East Asian characters take two.
std::size_t columns_of(std::string_view text);

// At most `columns` wide; what was cut off is shown as "...".
std::string cut_to(std::string_view text, std::size_t columns);

// Lines of at most `columns`, broken at blanks, inside a word only where it is longer than a line.
// Never empty.
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

// Filled with blanks to `columns`; longer text stays whole.
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

}  // namespace pgrehearse
