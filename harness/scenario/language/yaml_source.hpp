// YAML text as a tree of nodes with source positions. Rejects what scenarios must not use: anchors,
// aliases, tags, several documents, deep nesting. Knows nothing about keys.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct YamlEntry;

struct YamlNode {
  // `unusable`: an error has already been reported for it.
  enum class Kind { null, scalar, sequence, map, unusable };

  Kind kind = Kind::null;
  SourcePosition position;
  std::string text;     // of a scalar; ${NAME} replaced once expand_environment() has run
  std::string written;  // of a scalar, as in the source; for messages, contains no secrets from the
                        // environment
  bool quoted = false;
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a map, in order, duplicates included

  [[nodiscard]] const YamlEntry* find(std::string_view key) const;  // the first one, or nullptr
  [[nodiscard]] YamlEntry* find(std::string_view key);
};

struct YamlEntry {
  std::string key;
  SourcePosition key_position;
  YamlNode value;
};

// Source of a text: a file with lines, or a label for the whole text ("--set a=b").
struct YamlOrigin {
  std::string name;
  bool has_lines = true;
};

// Parses the single document of `text`; empty text gives a null node. Adds to `errors`.
YamlNode parse_yaml(const std::string& text, const YamlOrigin& origin,
                    std::vector<ScenarioError>& errors);

// Replaces ${NAME} in all values with the environment variable; $${ is a literal ${.
void expand_environment(YamlNode& node, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
