// The text of a scenario that is stored with a drill: overrides applied, variables of the
// environment left as ${NAME}, passwords removed. It can be run again.
#pragma once

#include <span>
#include <string>

#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

// YAML. `file` and `overrides` go into a comment.
std::string stored_scenario(const YamlNode& root, const std::string& file,
                            std::span<const std::string> overrides);

}  // namespace pgrehearse
