// Scenario templates: words between @ signs stand for what is known only later.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgrehearse {

// Replaces each @word@ that `values` knows.
std::string expand_scenario(std::string_view scenario_template,
                            const std::map<std::string, std::string>& values);

}  // namespace pgrehearse
