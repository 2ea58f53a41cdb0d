// What the terminal behind a descriptor can do.
#pragma once

namespace pgrehearse {

bool is_terminal(int descriptor);

// Columns; $COLUMNS or 100 where there is no terminal to ask.
int terminal_width(int descriptor);

// False with --no-color, NO_COLOR (no-color.org), TERM=dumb, and where there is no terminal.
bool wants_colour(int descriptor, bool no_color);

}  // namespace pgrehearse
