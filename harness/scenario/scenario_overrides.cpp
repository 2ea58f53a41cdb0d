#include "harness/scenario/scenario_overrides.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/scenario/scenario_keys.hpp"

namespace pgrehearse {

namespace {

bool is_target(std::string_view key) {
  const auto targets = recovery_target_keys().first(target_count);
  return std::any_of(targets.begin(), targets.end(),
                     [&](const auto& row) { return row.name == key; });
}

// Expands the short form `latest` to { latest: true }, so that a key can be added.
void lengthen_target(YamlNode& target) {
  if (target.kind != YamlNode::Kind::scalar || !is_target(target.text)) return;
  YamlNode value{.kind = YamlNode::Kind::scalar,
                 .position = target.position,
                 .text = "true",
                 .written = "true"};
  YamlNode map{.kind = YamlNode::Kind::map, .position = target.position};
  map.entries.push_back({target.text, target.position, std::move(value)});
  target = std::move(map);
}

// Removes the target of the file; other overrides of the same command line remain.
void drop_written_target(YamlNode& target) {
  std::erase_if(target.entries, [](const YamlEntry& entry) { return entry.key_position.line > 0; });
  if (target.kind == YamlNode::Kind::scalar && target.position.line > 0) {
    target.kind = YamlNode::Kind::null;
  }
}

YamlNode& entry_of(YamlNode& map, std::string_view key, const SourcePosition& position) {
  if (auto* found = map.find(key)) return found->value;
  map.entries.push_back({std::string(key), position, YamlNode{.position = position}});
  return map.entries.back().value;
}

// The value may contain a password.
std::string label_of(std::string_view key, std::string_view text) {
  if (key.starts_with("primary") || key.starts_with("ledger"))
    return fmt::format("--set {}=***", key);
  return fmt::format("--set {}", text);
}

}  // namespace

void apply_override(YamlNode& root, const std::string& text, std::vector<ScenarioError>& errors) {
  const auto equals = text.find('=');
  const std::string_view key = trim(std::string_view(text).substr(0, equals));
  const SourcePosition position{.file = label_of(key, text)};
  if (equals == std::string::npos || key.empty()) {
    errors.push_back({position, "an override needs a key and a value",
                      "for example --set recover_to=immediate"});
    return;
  }
  YamlNode value =
      parse_yaml(text.substr(equals + 1), {.name = position.file, .has_lines = false}, errors);
  if (value.kind == YamlNode::Kind::null) value.position = position;
  const auto steps = split(key, '.');
  if (root.kind == YamlNode::Kind::null) root.kind = YamlNode::Kind::map;
  YamlNode* place = &root;
  for (const auto step : steps) {
    if (place->kind == YamlNode::Kind::sequence) {
      errors.push_back({position, "a list can only be replaced as a whole",
                        fmt::format("write --set {}=[...]", steps.front())});
      return;
    }
    if (place != &root) {
      if (steps.front() == "recover_to") {
        if (is_target(step)) drop_written_target(*place);
        lengthen_target(*place);
      }
      // Anything else that is not a map is kept, for validation to report it.
      if (place->kind == YamlNode::Kind::null) place->kind = YamlNode::Kind::map;
    }
    place = &entry_of(*place, step, position);
  }
  *place = std::move(value);
  // From here on, the override is the position of the key.
  YamlNode* parent = &root;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) parent = &parent->find(steps[i])->value;
  parent->find(steps.back())->key_position = position;
}

}  // namespace pgrehearse
