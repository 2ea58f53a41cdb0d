// THE table of everything that a scenario can say. The parser, the JSON Schema and the reference
// page come from it; the settings of each check stand in the check table.
#pragma once

#include <span>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

std::span<const KeyDescription> scenario_keys();

// The keys of recover_to's long form; exactly one of the first `target_count` names the target.
std::span<const KeyDescription> recovery_target_keys();
inline constexpr std::size_t target_count = 6;

// What every check takes beside its own settings.
std::span<const KeyDescription> common_check_keys();

}  // namespace pgrehearse
