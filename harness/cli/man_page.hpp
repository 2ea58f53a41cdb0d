// The manual page pgrehearse(1), made from the command table.
#pragma once

namespace CLI {
class App;
}

namespace pgrehearse {

// In roff, to standard output. `app` holds every command of the table.
void print_man_page(const CLI::App& app);

}  // namespace pgrehearse
