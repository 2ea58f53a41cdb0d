#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/scenario/notification/channel_table.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario_keys.hpp"
#include "harness/scenario/scenario_reference.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const KeyDescription& key, std::span<const CheckDescription> checks);

// ${NAME} is allowed wherever a value is.
Json or_environment(Json schema) {
  return {{"anyOf", {std::move(schema), {{"$ref", "#/definitions/environment"}}}}};
}

Json scalar_schema() { return {{"type", {"string", "number", "boolean"}}}; }

Json matching(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

Json map_schema(std::span<const KeyDescription> keys, std::span<const CheckDescription> checks) {
  Json schema{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  for (const auto& key : keys) {
    const std::string name(key.name);
    schema["properties"][name] = schema_of(key, checks);
    if (key.required) schema["required"].push_back(name);
  }
  // A key without a value is an empty map, unless it has required keys.
  if (!schema.contains("required")) schema["type"] = {"object", "null"};
  return schema;
}

Json choice_schema(const KeyDescription& key) {
  Json choices = Json::array();
  for (const auto choice : key.choices) choices.push_back(choice);
  return {{"enum", std::move(choices)}};
}

Json named_list_schema(Json names, Json with_settings) {
  const Json long_form{{"type", "object"},
                       {"properties", std::move(with_settings)},
                       {"additionalProperties", false},
                       {"minProperties", 1},
                       {"maxProperties", 1}};
  if (names.empty()) return {{"type", "array"}, {"items", long_form}};
  return {{"type", "array"}, {"items", {{"anyOf", {{{"enum", std::move(names)}}, long_form}}}}};
}

// Every channel has required settings.
Json channel_list_schema() {
  Json with_settings = Json::object();
  for (const auto& channel : channel_table()) {
    Json schema = map_schema(keys_of(channel), {});
    schema["description"] = channel.summary;
    with_settings[std::string(channel.name)] = std::move(schema);
  }
  return named_list_schema(Json::array(), std::move(with_settings));
}

Json check_list_schema(std::span<const CheckDescription> checks) {
  Json names = Json::array();
  Json with_settings = Json::object();
  for (const auto& check : checks) {
    names.push_back(check.name);
    std::vector<KeyDescription> keys(check.keys.begin(), check.keys.end());
    for (const auto& common : common_check_keys()) {
      const auto same = [&](const auto& key) { return key.name == common.name; };
      if (std::none_of(keys.begin(), keys.end(), same)) keys.push_back(common);
    }
    Json schema = map_schema(keys, checks);
    schema["description"] = check.summary;
    with_settings[std::string(check.name)] = std::move(schema);
  }
  return named_list_schema(std::move(names), std::move(with_settings));
}

Json recovery_target_schema(const KeyDescription& key, std::span<const CheckDescription> checks) {
  const Json words{{"enum", {"latest", "immediate"}}};
  return {{"anyOf", {words, map_schema(key.children, checks)}}};
}

Json value_schema(const KeyDescription& key, std::span<const CheckDescription> checks) {
  switch (key.kind) {
    case KeyKind::text:
    case KeyKind::scalar:
      return scalar_schema();
    case KeyKind::boolean:
      return or_environment({{"type", "boolean"}});
    case KeyKind::integer:
      return or_environment({{"type", "integer"}, {"minimum", 0}});
    case KeyKind::number:
      return or_environment({{"type", "number"}});
    case KeyKind::bytes:
      return or_environment({{"anyOf",
                              {{{"type", "integer"}, {"minimum", 0}},
                               matching("^[0-9]+(\\.[0-9]+)? *(B|kB|MB|GB|TB)?$")}}});
    case KeyKind::duration:
      return or_environment(matching("^([0-9]+(\\.[0-9]+)?(ms|s|min|h|d) *)+$"));
    case KeyKind::percentage:
      return or_environment({{"anyOf", {{{"const", 0}}, matching("^[0-9]+(\\.[0-9]+)? *%$|^0$")}}});
    case KeyKind::choice:
      return or_environment(choice_schema(key));
    case KeyKind::absolute_path:
      return or_environment(matching("^/"));
    case KeyKind::path:
      return {{"type", "string"}};
    case KeyKind::text_list:
      return {{"anyOf", {scalar_schema(), {{"type", "array"}, {"items", scalar_schema()}}}}};
    case KeyKind::text_map:
      return {{"type", "object"}, {"additionalProperties", scalar_schema()}};
    case KeyKind::expectation:
      if (key.children.empty()) return scalar_schema();
      return {{"anyOf", {scalar_schema(), map_schema(key.children, checks)}}};
    case KeyKind::secret:
      return {{"anyOf",
               {{{"$ref", "#/definitions/environment"}},
                {{"type", "object"},
                 {"properties", {{"file", matching("^/")}}},
                 {"required", {"file"}},
                 {"additionalProperties", false}}}}};
    case KeyKind::section:
      return map_schema(key.children, checks);
    case KeyKind::recovery_target:
      return recovery_target_schema(key, checks);
    case KeyKind::check_list:
      return check_list_schema(checks);
    case KeyKind::channel_list:
      return channel_list_schema();
  }
  return Json::object();
}

Json schema_of(const KeyDescription& key, std::span<const CheckDescription> checks) {
  Json schema = value_schema(key, checks);
  std::string description(key.summary);
  if (!key.default_value.empty()) description += fmt::format("\nDefault: {}", key.default_value);
  if (!key.example.empty()) description += fmt::format("\nExample: {}: {}", key.name, key.example);
  schema["description"] = std::move(description);
  return schema;
}

}  // namespace

std::string scenario_json_schema(std::span<const CheckDescription> checks) {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "pgrehearse scenario"},
              {"description", "One drill: what to restore, to which point, and what to check."}};
  schema.update(map_schema(scenario_keys(), checks));
  for (auto& [key, property] : schema["properties"]["sandbox"]["properties"].items()) {
    const auto types = limited_to(key);
    if (types.empty()) continue;
    property["description"] =
        fmt::format("{}: {}", types, property["description"].get<std::string>());
  }
  schema["definitions"]["environment"] = {{"type", "string"},
                                          {"pattern", "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}"},
                                          {"description", "from the environment"}};
  return schema.dump(2) + "\n";
}

}  // namespace pgrehearse
