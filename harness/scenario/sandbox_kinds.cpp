#include "harness/scenario/sandbox_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

bool has_key(const SandboxKind& kind, std::string_view key) {
  return std::find(kind.keys.begin(), kind.keys.end(), key) != kind.keys.end();
}

const SandboxKind* find_kind(std::string_view type) {
  const auto* found = std::find_if(sandbox_kinds.begin(), sandbox_kinds.end(),
                                   [&](const auto& kind) { return kind.type == type; });
  return found == sandbox_kinds.end() ? nullptr : found;
}

std::vector<std::string> types_with(std::string_view key) {
  std::vector<std::string> types;
  for (const auto& kind : sandbox_kinds) {
    if (has_key(kind, key)) types.emplace_back(kind.type);
  }
  return types;
}

}  // namespace

const SandboxKind& sandbox_kind(std::string_view type) {
  if (const auto* kind = find_kind(type)) return *kind;
  throw Error(ErrorKind::internal, fmt::format("unknown sandbox type '{}'", type));
}

std::string limited_to(std::string_view sandbox_key) {
  const auto types = types_with(sandbox_key);
  const bool all = sandbox_key == "type" || types.size() == sandbox_kinds.size();
  return all ? std::string() : join(types, ", ");
}

void check_sandbox_keys(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* section = root.find("sandbox");
  if (section == nullptr) return;
  const auto* type = section->value.find("type");
  const auto* kind = find_kind(type == nullptr ? default_sandbox_type : type->value.text);
  if (kind == nullptr) return;
  const auto is_from_file = [](const YamlEntry& entry) { return entry.key_position.line > 0; };
  const bool type_was_replaced = type != nullptr && !is_from_file(*type);
  for (const auto& entry : section->value.entries) {
    const auto types = types_with(entry.key);
    if (types.empty() || has_key(*kind, entry.key)) continue;
    if (type_was_replaced && is_from_file(entry)) continue;
    errors.push_back(
        {entry.key_position,
         fmt::format("'{}' cannot be used with sandbox.type: {}", entry.key, kind->type),
         fmt::format("remove it, or set type to {}", join(types, " or "))});
  }
}

}  // namespace pgrehearse
