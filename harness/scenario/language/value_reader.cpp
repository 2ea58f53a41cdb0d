#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/common/text.hpp"
#include "harness/scenario/language/section_reader.hpp"

namespace pgrehearse {

namespace {

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end || !std::isfinite(number)) return {};
  return number;
}

std::optional<SettingValue> convert_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end || number < 0) return {};
  return number;
}

std::optional<SettingValue> convert_percentage(std::string_view text) {
  if (text == "0") return 0.0;
  if (!text.ends_with('%')) return {};
  const auto number = parse_number(trim(text.substr(0, text.size() - 1)));
  if (!number || *number < 0 || *number > 100) return {};
  return *number / 100;
}

std::optional<SettingValue> convert_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return {};
}

template <typename T>
std::optional<SettingValue> as_setting(std::optional<T> value) {
  if (!value) return {};
  return SettingValue(std::move(*value));
}

// How to write it; empty if the example is enough.
std::string advice_for(const KeyDescription& key, const std::string& text) {
  switch (key.kind) {
    case KeyKind::boolean:
      return "write true or false, without quotes";
    case KeyKind::bytes:
      return parse_bytes(text + "B")
                 ? fmt::format("write {}B: units are B, kB, MB, GB and TB", text)
                 : "units are B, kB, MB, GB and TB, for example 2GB";
    case KeyKind::duration:
      return parse_duration(text + "min") ? fmt::format("add a unit: {0}min, {0}s or {0}h", text)
                                          : "units are ms, s, min, h and d, for example 1h30min";
    case KeyKind::percentage:
      return parse_number(text) ? fmt::format("add the percent sign: {}%", text)
                                : "from 0% to 100%";
    case KeyKind::absolute_path:
      return "the path must start with /";
    case KeyKind::choice: {
      const std::vector<std::string> choices(key.choices.begin(), key.choices.end());
      const auto near = nearest(text, choices);
      return near ? fmt::format("did you mean '{}'?", *near) : "";
    }
    default:
      return key.example.empty() ? "" : fmt::format("for example {}: {}", key.name, key.example);
  }
}

bool wants_no_quotes(KeyKind kind) {
  return kind == KeyKind::boolean || kind == KeyKind::integer || kind == KeyKind::number;
}

std::optional<SettingValue> read_scalar(const KeyDescription& key, const YamlNode& node,
                                        std::vector<ScenarioError>& errors) {
  const bool from_environment = node.text != node.written;
  std::optional<SettingValue> value;
  if (!node.quoted || from_environment || !wants_no_quotes(key.kind)) {
    value = convert_scalar(key, node.text);
  }
  if (value) return value;
  if (node.text.empty()) {
    errors.push_back({node.position, fmt::format("'{}' is empty", key.name),
                      key.example.empty()
                          ? std::string(key.summary)
                          : fmt::format("for example {}: {}", key.name, key.example)});
    return {};
  }
  // A text from the environment may be a secret: show the text of the file instead.
  std::string message =
      fmt::format("'{}': '{}' is not {}", key.name, node.written, described(key.kind));
  if (key.kind == KeyKind::choice) {
    const std::vector<std::string> choices(key.choices.begin(), key.choices.end());
    message =
        fmt::format("'{}': '{}' is not one of {}", key.name, node.written, join(choices, ", "));
  } else if (node.quoted && wants_no_quotes(key.kind)) {
    message = fmt::format("'{}' must be {}, not a quoted string", key.name, described(key.kind));
  }
  errors.push_back(
      {node.position, std::move(message), advice_for(key, from_environment ? "" : node.text)});
  return {};
}

void report_kind(const KeyDescription& key, const YamlNode& node,
                 std::vector<ScenarioError>& errors) {
  if (node.kind == YamlNode::Kind::unusable) return;
  const std::string hint = key.example.empty()
                               ? std::string(key.summary)
                               : fmt::format("for example {}: {}", key.name, key.example);
  if (node.kind == YamlNode::Kind::null) {
    errors.push_back({node.position, fmt::format("'{}' has no value", key.name), hint});
  } else {
    errors.push_back(
        {node.position,
         fmt::format("'{}' must be {}, not {}", key.name, described(key.kind), described(node)),
         hint});
  }
}

std::optional<SettingValue> read_list(const KeyDescription& key, const YamlNode& node,
                                      std::vector<ScenarioError>& errors) {
  std::vector<std::string> texts;
  for (const auto& item : node.items) {
    if (item.kind == YamlNode::Kind::scalar) {
      texts.push_back(item.text);
    } else {
      report_kind(key, item, errors);
    }
  }
  return texts.size() == node.items.size() ? std::optional<SettingValue>(std::move(texts))
                                           : std::nullopt;
}

// A secret in the file would be copied into the history with the scenario's text.
std::optional<SettingValue> read_secret(const KeyDescription& key, const YamlNode& node,
                                        std::vector<ScenarioError>& errors) {
  const std::string hint =
      fmt::format("for example {0}: {1}, or {0}: {{ file: /etc/pgrehearse/{0} }}", key.name,
                  key.example.empty() ? "\"${SECRET}\"" : key.example);
  if (node.kind == YamlNode::Kind::scalar && node.text != node.written) {
    return read_scalar(key, node, errors);
  }
  const auto* file = node.kind == YamlNode::Kind::map ? node.find("file") : nullptr;
  const bool named = file != nullptr && node.entries.size() == 1 &&
                     file->value.kind == YamlNode::Kind::scalar &&
                     file->value.text.starts_with('/');
  if (named) return std::map<std::string, std::string>{{"file", file->value.text}};
  errors.push_back(
      {node.position,
       fmt::format("'{}' is a secret: it must come from the environment or from a file", key.name),
       hint});
  return {};
}

// Any keys for a text_map; the row's children for an expectation.
std::optional<SettingValue> read_map(const KeyDescription& key, const YamlNode& node,
                                     std::vector<ScenarioError>& errors) {
  const auto errors_before = errors.size();
  if (key.kind == KeyKind::expectation) {
    Settings validated;
    read_section(node, {key.children, fmt::format("'{}'", key.name), ""}, validated, errors);
  }
  std::map<std::string, std::string> texts;
  for (const auto& entry : node.entries) {
    if (entry.value.kind != YamlNode::Kind::scalar) {
      if (key.kind == KeyKind::text_map) report_kind(key, entry.value, errors);
    } else if (!texts.emplace(entry.key, entry.value.text).second &&
               key.kind == KeyKind::text_map) {
      errors.push_back({entry.key_position,
                        fmt::format("duplicate key '{}' in '{}'", entry.key, key.name),
                        "remove one of them"});
    }
  }
  if (errors.size() > errors_before) return {};
  return texts;
}

}  // namespace

std::optional<SettingValue> convert_scalar(const KeyDescription& key, const std::string& text) {
  switch (key.kind) {
    case KeyKind::boolean:
      return convert_boolean(text);
    case KeyKind::integer:
      return convert_integer(text);
    case KeyKind::number:
      return as_setting(parse_number(text));
    case KeyKind::bytes:
      return as_setting(parse_bytes(text));
    case KeyKind::duration:
      return as_setting(parse_duration(text));
    case KeyKind::percentage:
      return convert_percentage(text);
    case KeyKind::choice:
      if (std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) return {};
      return text;
    case KeyKind::absolute_path:
      if (!text.starts_with('/')) return {};
      return text;
    case KeyKind::text:
    case KeyKind::path:
      if (text.empty()) return {};
      return text;
    case KeyKind::scalar:
      return text;
    case KeyKind::text_list:
      return std::vector<std::string>{text};
    case KeyKind::expectation:
      return std::map<std::string, std::string>{{"", text}};
    case KeyKind::secret:
      if (text.empty()) return {};
      return std::map<std::string, std::string>{{"", text}};
    case KeyKind::text_map:
    case KeyKind::section:
    case KeyKind::recovery_target:
    case KeyKind::check_list:
    case KeyKind::channel_list:
      return {};
  }
  return {};
}

std::optional<SettingValue> read_value(const KeyDescription& key, const YamlNode& node,
                                       std::vector<ScenarioError>& errors) {
  if (key.kind == KeyKind::secret && node.kind != YamlNode::Kind::unusable) {
    return read_secret(key, node, errors);
  }
  if (node.kind == YamlNode::Kind::scalar && key.kind != KeyKind::text_map) {
    return read_scalar(key, node, errors);
  }
  if (node.kind == YamlNode::Kind::sequence && key.kind == KeyKind::text_list) {
    return read_list(key, node, errors);
  }
  const bool takes_map =
      key.kind == KeyKind::text_map || (key.kind == KeyKind::expectation && !key.children.empty());
  if (node.kind == YamlNode::Kind::map && takes_map) return read_map(key, node, errors);
  report_kind(key, node, errors);
  return {};
}

std::string_view described(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::null:
    case YamlNode::Kind::unusable:
      return "nothing";
  }
  return "nothing";
}

std::string_view described(KeyKind kind) {
  switch (kind) {
    case KeyKind::text:
      return "a string";
    case KeyKind::boolean:
      return "true or false";
    case KeyKind::integer:
      return "a whole number";
    case KeyKind::number:
      return "a number";
    case KeyKind::bytes:
      return "a size";
    case KeyKind::duration:
      return "a duration";
    case KeyKind::percentage:
      return "a percentage";
    case KeyKind::choice:
      return "one of the choices";
    case KeyKind::absolute_path:
      return "an absolute path";
    case KeyKind::path:
      return "a path";
    case KeyKind::text_list:
      return "a string or a list of strings";
    case KeyKind::text_map:
      return "a map of strings";
    case KeyKind::scalar:
      return "a single value";
    case KeyKind::expectation:
      return "a value or a map";
    case KeyKind::secret:
      return "a secret";
    case KeyKind::section:
      return "a map";
    case KeyKind::recovery_target:
      return "a recovery target";
    case KeyKind::check_list:
      return "a list of checks";
    case KeyKind::channel_list:
      return "a list of channels";
  }
  return "a value";
}

}  // namespace pgrehearse
