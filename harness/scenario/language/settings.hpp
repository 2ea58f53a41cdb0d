// Tables of keys: name, kind, bounds and meaning of each key are defined once; parsing, "did you
// mean", the JSON Schema and the reference page all use the same table. Validated values are read
// through Settings.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

enum class KeyKind {
  text,
  boolean,
  integer,     // >= 0
  number,      // floating point
  bytes,       // "2GB"
  duration,    // "30min"
  percentage,  // "1%" -> 0.01
  choice,      // one of `choices`
  absolute_path,
  path,             // relative to the working directory
  text_list,        // a string or a list of strings
  text_map,         // any keys; scalar values kept as text
  scalar,           // any scalar, kept as written
  expectation,      // a scalar, or a map with `children`; kept as a map of strings, a single scalar
                    // under ""
  secret,           // ${NAME}, or { file: /path }; kept as a map of strings, the value under "" or
                    // the path under "file"
  section,          // a map with `children`
  recovery_target,  // the form of recover_to
  check_list,       // the form of checks
  channel_list,     // the form of notify
};
// Its name for people: "whole number", "duration".
std::string_view name_of(KeyKind kind);

struct KeyDescription {
  std::string_view name;
  KeyKind kind = KeyKind::text;
  std::string_view summary;  // one line for the reference and the schema
  std::string_view example;  // of the value, as YAML
  bool required = false;
  std::string_view default_value;  // for people; empty: none
  std::span<const std::string_view> choices = {};
  std::span<const KeyDescription> children = {};
};

// Position of a value in its source.
struct SourcePosition {
  std::string file;
  int line = 0;    // from 1
  int column = 0;  // from 1
};
// "weekly.yaml:9:5"; the file alone where the line is 0 ("--set sandbox.type=x")
std::string to_text(const SourcePosition& position);

class Settings;

using SettingValue =
    std::variant<bool, std::int64_t, double, Bytes, std::chrono::milliseconds, std::string,
                 std::vector<std::string>, std::map<std::string, std::string>>;

// Validated values of one section. Getters return nullopt (or the fallback) for an absent key and
// throw Error(internal) for the wrong type.
class Settings {
 public:
  Settings() = default;
  explicit Settings(SourcePosition position) : position_(std::move(position)) {}

  void set(std::string key, SettingValue value) { values_[std::move(key)] = std::move(value); }
  [[nodiscard]] bool has(std::string_view key) const { return values_.find(key) != values_.end(); }

  template <typename T>
  [[nodiscard]] std::optional<T> get(std::string_view key) const;
  template <typename T>
  [[nodiscard]] T get_or(std::string_view key, T fallback) const {
    auto value = get<T>(key);
    return value ? std::move(*value) : std::move(fallback);
  }
  [[nodiscard]] const SourcePosition& position() const { return position_; }

 private:
  [[noreturn]] static void wrong_kind(std::string_view key);

  std::map<std::string, SettingValue, std::less<>> values_;
  SourcePosition position_;
};

template <typename T>
std::optional<T> Settings::get(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return {};
  if (const auto* value = std::get_if<T>(&found->second)) return *value;
  wrong_kind(key);
}

}  // namespace pgrehearse
