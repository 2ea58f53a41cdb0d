// Reads a section of the scenario into Settings, guided by its table of keys.
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
  std::string name;    // name in messages: "repository", "check 'amcheck'"
  std::string prefix;  // prefix of the keys in Settings: "repository."
};

// Stores each valid value under its dotted key, including nested sections. Adds unknown, duplicate,
// missing and invalid keys to `errors`. Keys of the kinds recovery_target, check_list and
// channel_list are accepted here and read elsewhere.
void read_section(const YamlNode& node, const Section& section, Settings& into,
                  std::vector<ScenarioError>& errors);

// The value of one key; nullopt if an error was added.
std::optional<SettingValue> read_value(const KeyDescription& key, const YamlNode& node,
                                       std::vector<ScenarioError>& errors);

// Converts a scalar's text; nullopt if it is not valid for the key's kind. Used by read_value.
std::optional<SettingValue> convert_scalar(const KeyDescription& key, const std::string& text);

// "a list", "a map", "a single value": what was found, for messages.
std::string_view described(const YamlNode& node);
// "a duration": what is expected, for messages.
std::string_view described(KeyKind kind);

}  // namespace pgrehearse
