#include "harness/cli/wiring.hpp"

#include "checks/table.hpp"

namespace pgrehearse {

std::span<const CheckDescription> all_checks() { return check_table(); }

}  // namespace pgrehearse
