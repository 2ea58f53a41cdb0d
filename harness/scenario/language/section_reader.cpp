#include "harness/scenario/language/section_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace pgrehearse {

namespace {

std::vector<std::string> names_of(std::span<const KeyDescription> keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const auto& key : keys) names.emplace_back(key.name);
  return names;
}

const KeyDescription* find_key(std::span<const KeyDescription> keys, std::string_view name) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string example_of(const KeyDescription& key) {
  if (key.example.empty()) return std::string(key.summary);
  return fmt::format("for example {}: {}", key.name, key.example);
}

void report_duplicate(const YamlEntry& entry, const YamlNode& node, const Section& section,
                      std::vector<ScenarioError>& errors) {
  const auto& first = node.find(entry.key)->key_position;
  errors.push_back(
      {entry.key_position, fmt::format("duplicate key '{}' in {}", entry.key, section.name),
       first.line == 0 ? "remove one of them" : fmt::format("already set on line {}", first.line)});
}

void read_entry(const KeyDescription& key, const YamlNode& value, const Section& section,
                Settings& into, std::vector<ScenarioError>& errors) {
  if (key.kind == KeyKind::recovery_target || key.kind == KeyKind::check_list ||
      key.kind == KeyKind::channel_list) {
    return;
  }
  const std::string name = section.prefix + std::string(key.name);
  if (key.kind == KeyKind::section) {
    read_section(value, {key.children, std::string(key.name), name + "."}, into, errors);
    return;
  }
  if (auto read = read_value(key, value, errors)) into.set(name, std::move(*read));
}

}  // namespace

void read_section(const YamlNode& node, const Section& section, Settings& into,
                  std::vector<ScenarioError>& errors) {
  if (node.kind == YamlNode::Kind::unusable) return;
  if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::null) {
    errors.push_back({node.position,
                      fmt::format("{} must be a map, not {}", section.name, described(node)),
                      section.keys.empty() ? std::string() : example_of(section.keys.front())});
    return;
  }
  std::set<std::string_view> seen;
  for (const auto& entry : node.entries) {
    const auto* key = find_key(section.keys, entry.key);
    if (key == nullptr) {
      errors.push_back({entry.key_position,
                        fmt::format("unknown key '{}' in {}", entry.key, section.name),
                        hint_for_unknown(entry.key, names_of(section.keys))});
    } else if (!seen.insert(entry.key).second) {
      report_duplicate(entry, node, section, errors);
    } else {
      read_entry(*key, entry.value, section, into, errors);
    }
  }
  for (const auto& key : section.keys) {
    if (!key.required || seen.contains(key.name)) continue;
    const bool map = key.kind == KeyKind::section;
    errors.push_back({node.position, fmt::format("missing key '{}' in {}", key.name, section.name),
                      map ? fmt::format("{}: {}", key.name, key.summary) : example_of(key)});
  }
}

}  // namespace pgrehearse
