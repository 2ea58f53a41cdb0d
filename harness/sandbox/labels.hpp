// Labels of containers and cluster objects that drills create, by which leftovers are found.
#pragma once

namespace pgrehearse {

inline constexpr const char* label_run = "pgrehearse.run";
inline constexpr const char* label_owner = "pgrehearse.owner";  // host and registry
inline constexpr const char* label_scenario = "pgrehearse.scenario";
inline constexpr const char* label_expires = "pgrehearse.expires";  // ISO 8601

}  // namespace pgrehearse
