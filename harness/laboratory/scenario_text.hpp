// Scenario templates with @word@ placeholders.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgrehearse {

// Replaces each @word@ that is a key of `values`.
std::string expand_scenario(std::string_view scenario_template,
                            const std::map<std::string, std::string>& values);

}  // namespace pgrehearse
