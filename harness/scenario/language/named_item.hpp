// One item of a list of names, or of names with settings: `checks`, `notify`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

struct NamedItem {
  std::string name;
  SourcePosition position;
  const YamlNode* settings = nullptr;  // nullptr: none given
};

// What the list contains, for messages.
struct ItemWords {
  std::string_view noun;     // "check"
  std::string_view example;  // "for example checks: [amcheck]"
};

// nullopt if an error was added, or had been before.
std::optional<NamedItem> read_named_item(const YamlNode& node, const ItemWords& words,
                                         std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
