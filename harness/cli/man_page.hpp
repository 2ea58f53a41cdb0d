// The manual page pgrehearse(1), generated from the command table.
#pragma once

namespace CLI {
class App;
}

namespace pgrehearse {

// Prints roff to standard output. `app` contains every command of the table.
void print_man_page(const CLI::App& app);

}  // namespace pgrehearse
