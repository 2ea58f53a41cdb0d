// A fault file becomes a Fault, or a list of everything that is wrong with it.
#pragma once

#include <string>

#include "harness/faults/fault.hpp"

namespace pgrehearse {

// `file_name` is what messages call the text. Throws ScenarioErrors.
Fault parse_fault(const std::string& text, const std::string& file_name);

}  // namespace pgrehearse
