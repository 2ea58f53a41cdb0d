// The table of all keys of a fault file; settings of actions are in the damage table.
#pragma once

#include <span>
#include <string_view>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

std::span<const KeyDescription> fault_keys();
std::span<const std::string_view> fault_phases();

}  // namespace pgrehearse
