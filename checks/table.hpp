// The table that names every check.
#pragma once

#include <span>

#include "harness/drill/check.hpp"

namespace pgrehearse {

// In the order in which reports show them.
std::span<const CheckDescription> check_table();

}  // namespace pgrehearse
