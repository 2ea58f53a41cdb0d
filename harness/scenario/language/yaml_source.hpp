// YAML text as a tree in which every node knows where it was written. What a scenario must not use
// (anchors, aliases, tags, several documents, deep nesting) is refused here; what the keys mean is
// not known here.
#pragma once

#include <string>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct YamlEntry;

struct YamlNode {
  // `unusable`: an error has been reported for it already.
  enum class Kind { null, scalar, sequence, map, unusable };

  Kind kind = Kind::null;
  SourcePosition position;
  std::string text;     // of a scalar; ${NAME} replaced once expand_environment() has run
  std::string written;  // of a scalar, as it stands in the source: for messages, free of secrets
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

// Where text comes from: a file with lines, or a label that stands for all of it ("--set a=b").
struct YamlOrigin {
  std::string name;
  bool has_lines = true;
};

// The one document of `text`; an empty text gives a null node. Adds to `errors` what is wrong.
YamlNode parse_yaml(const std::string& text, const YamlOrigin& origin,
                    std::vector<ScenarioError>& errors);

// Replaces ${NAME} in all values by the environment's text; $${ stands for ${.
void expand_environment(YamlNode& node, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
