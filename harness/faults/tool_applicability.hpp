// Decides which faults of the catalogue exist with each backup tool.
#pragma once

#include <string>

#include "harness/faults/fault.hpp"

namespace pgrehearse {

// Why the fault cannot occur with the tool; empty if it can.
std::string why_not_applicable(const Fault& fault, BackupTool tool);

}  // namespace pgrehearse
