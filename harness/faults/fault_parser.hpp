// Turns a fault file into a Fault, or reports all errors in it.
#pragma once

#include <string>

#include "harness/faults/fault.hpp"

namespace pgrehearse {

// `file_name` is used in messages. Throws ScenarioErrors.
Fault parse_fault(const std::string& text, const std::string& file_name);

}  // namespace pgrehearse
