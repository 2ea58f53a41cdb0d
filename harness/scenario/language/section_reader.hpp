// Reads a map of the scenario by its table of keys, into Settings.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

struct Section {
  std::span<const KeyDescription> keys;
  std::string name;    // as messages call it: "repository", "check 'amcheck'"
  std::string prefix;  // of the keys in Settings: "repository."
};

// Sets each valid value under its dotted key; nested sections likewise. Unknown, duplicate, missing
// and wrong ones are added to `errors`. Keys of the kinds recovery_target and check_list are known
// here and read elsewhere.
void read_section(const YamlNode& node, const Section& section, Settings& into,
                  std::vector<ScenarioError>& errors);

// The value of one key; nullopt after an error was added.
std::optional<SettingValue> read_value(const KeyDescription& key, const YamlNode& node,
                                       std::vector<ScenarioError>& errors);

// A scalar's text as that kind; nullopt if it is none. The conversion behind read_value.
std::optional<SettingValue> convert_scalar(const KeyDescription& key, const std::string& text);

// "a list", "a map", "a text": what stands there, for messages.
std::string_view described(const YamlNode& node);
// "a duration": what should stand there.
std::string_view described(KeyKind kind);

}  // namespace pgrehearse
