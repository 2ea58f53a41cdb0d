// The table of everything that a fault file can say; the settings of each action stand in the table
// of damage.
#pragma once

#include <span>
#include <string_view>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

std::span<const KeyDescription> fault_keys();
std::span<const std::string_view> fault_phases();

}  // namespace pgrehearse
