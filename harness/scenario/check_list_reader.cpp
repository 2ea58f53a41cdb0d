#include "harness/scenario/check_list_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/language/named_item.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/scenario_keys.hpp"

namespace pgrehearse {

namespace {

using Errors = std::vector<ScenarioError>;

constexpr std::string_view list_example = "for example checks: [amcheck, page_checksums]";

// The check's own keys, and `name` unless the check defines it.
std::vector<KeyDescription> keys_of(const CheckDescription& check) {
  std::vector<KeyDescription> keys(check.keys.begin(), check.keys.end());
  for (const auto& common : common_check_keys()) {
    const bool own = std::any_of(keys.begin(), keys.end(),
                                 [&](const auto& key) { return key.name == common.name; });
    if (!own) keys.push_back(common);
  }
  return keys;
}

// Settings that are valid individually but not in combination.
void validate(const CheckDescription& check, const CheckRequest& request, Errors& errors) {
  if (check.validate == nullptr) return;
  try {
    check.validate(request.settings);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    errors.push_back({request.settings.position(), error.what(), error.hint()});
  }
}

CheckRequest read_request(const NamedItem& item, const CheckDescription& check, Errors& errors) {
  CheckRequest request{.check = item.name, .name = item.name, .settings = Settings(item.position)};
  const auto errors_before = errors.size();
  const YamlNode none{.position = item.position};
  read_section(item.settings == nullptr ? none : *item.settings,
               {keys_of(check), fmt::format("check '{}'", item.name), ""}, request.settings,
               errors);
  request.name = request.settings.get_or("name", item.name);
  if (errors.size() == errors_before) validate(check, request, errors);
  return request;
}

const CheckDescription* find_check(const NamedItem& item, std::span<const CheckDescription> checks,
                                   Errors& errors) {
  std::vector<std::string> names;
  for (const auto& check : checks) {
    if (check.name == item.name) return &check;
    names.emplace_back(check.name);
  }
  errors.push_back({item.position, fmt::format("unknown check '{}'", item.name),
                    hint_for_unknown(item.name, names)});
  return nullptr;
}

void refuse_second_name(const CheckRequest& request, const std::vector<CheckRequest>& before,
                        Errors& errors) {
  const auto same = std::find_if(before.begin(), before.end(),
                                 [&](const auto& other) { return other.name == request.name; });
  if (same == before.end()) return;
  errors.push_back({request.settings.position(),
                    fmt::format("two checks are named '{}'", request.name),
                    fmt::format("rename one of them, for example {}: {{ name: second {} }}",
                                request.check, request.check)});
}

}  // namespace

std::vector<CheckRequest> read_check_list(const YamlNode& node,
                                          const CheckListSurroundings& scenario,
                                          std::span<const CheckDescription> checks,
                                          Errors& errors) {
  std::vector<CheckRequest> requests;
  if (node.kind == YamlNode::Kind::unusable) return requests;
  if (node.kind != YamlNode::Kind::sequence) {
    errors.push_back({node.position,
                      fmt::format("'checks' must be a list of checks, not {}", described(node)),
                      std::string(list_example)});
    return requests;
  }
  for (const auto& written : node.items) {
    const auto item = read_named_item(written, {"check", list_example}, errors);
    if (!item) continue;
    const auto* check = find_check(*item, checks, errors);
    if (check == nullptr) continue;
    auto request = read_request(*item, *check, errors);
    if (check->needs_local_sandbox && scenario.sandbox_type != default_sandbox_type) {
      errors.push_back(
          {item->position,
           fmt::format("check '{}' cannot run with sandbox.type: {}", item->name,
                       scenario.sandbox_type),
           fmt::format("set sandbox.type to {}, or remove the check", default_sandbox_type)});
    }
    if (check->needs_primary && !scenario.has_primary) {
      errors.push_back(
          {item->position,
           fmt::format("check '{}' needs a primary, but the scenario has none", item->name),
           "add primary: { dsn: \"host=db1 dbname=postgres user=pgrehearse\" }"});
    }
    refuse_second_name(request, requests, errors);
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace pgrehearse
