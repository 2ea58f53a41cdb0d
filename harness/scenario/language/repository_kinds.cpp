#include "harness/scenario/language/repository_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool has_key(const RepositoryKind& kind, std::string_view key) {
  return contains(kind.required, key) || contains(kind.optional, key);
}

std::vector<std::string> types_with(std::string_view key) {
  std::vector<std::string> types;
  for (const auto& kind : repository_kinds) {
    if (has_key(kind, key)) types.emplace_back(kind.type);
  }
  return types;
}

}  // namespace

std::string limited_to_repositories(std::string_view key) {
  const auto types = types_with(key);
  return types.size() == repository_kinds.size() ? std::string() : join(types, ", ");
}

void check_repository_keys(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* section = root.find("repository");
  if (section == nullptr) return;
  const auto form = section->value.kind;
  if (form != YamlNode::Kind::map && form != YamlNode::Kind::null) return;
  const auto* type = section->value.find("type");
  const auto stated = type == nullptr ? default_repository_type : type->value.text;
  const auto* kind = std::find_if(repository_kinds.begin(), repository_kinds.end(),
                                  [&](const auto& row) { return row.type == stated; });
  if (kind == repository_kinds.end()) return;
  for (const auto key : kind->required) {
    if (section->value.find(key) != nullptr) continue;
    errors.push_back({section->value.position, fmt::format("missing key '{}' in repository", key),
                      fmt::format("for example {}", kind->example)});
  }
  for (const auto& entry : section->value.entries) {
    const auto types = types_with(entry.key);
    if (types.empty() || has_key(*kind, entry.key)) continue;
    errors.push_back(
        {entry.key_position,
         fmt::format("'{}' cannot be used with repository.type: {}", entry.key, kind->type),
         fmt::format("remove it, or set type to {}", join(types, " or "))});
  }
}

}  // namespace pgrehearse
