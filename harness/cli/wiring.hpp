// What the commands get from the one file that knows every concrete class.
#pragma once

#include <span>

#include "harness/drill/check.hpp"

namespace pgrehearse {

// Every check that exists, in the order of reports.
std::span<const CheckDescription> all_checks();

}  // namespace pgrehearse
