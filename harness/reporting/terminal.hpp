// Properties of the terminal of a file descriptor.
#pragma once

namespace pgrehearse {

bool is_terminal(int descriptor);

// Width in columns; without a terminal $COLUMNS or 100.
int terminal_width(int descriptor);

// False with --no-color, NO_COLOR (no-color.org), TERM=dumb, or without a terminal.
bool wants_color(int descriptor, bool no_color);

}  // namespace pgrehearse
