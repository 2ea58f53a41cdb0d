// The table of all scenario keys, used by the parser, the JSON Schema and the reference page.
// Settings of checks are in the check table.
#pragma once

#include <span>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

std::span<const KeyDescription> scenario_keys();

// The keys of recover_to as a map; exactly one of the first `target_count` is the target.
std::span<const KeyDescription> recovery_target_keys();
inline constexpr std::size_t target_count = 7;

// Settings common to all checks.
std::span<const KeyDescription> common_check_keys();

}  // namespace pgrehearse
