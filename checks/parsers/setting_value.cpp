#include "checks/parsers/setting_value.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::optional<bool> parse_switch(const std::string& text) {
  const auto word = lower_case(text);
  for (const auto* yes : {"on", "true", "yes", "1", "t", "y"}) {
    if (word == yes) return true;
  }
  for (const auto* no : {"off", "false", "no", "0", "f", "n"}) {
    if (word == no) return false;
  }
  return {};
}

// In bytes or microseconds; the names cannot be confused, so one table serves both.
std::optional<double> factor_of(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 11> units{{{"B", 1},
                                                                       {"kB", 1024.0},
                                                                       {"MB", 1048576.0},
                                                                       {"GB", 1073741824.0},
                                                                       {"TB", 1099511627776.0},
                                                                       {"us", 1},
                                                                       {"ms", 1e3},
                                                                       {"s", 1e6},
                                                                       {"min", 6e7},
                                                                       {"h", 3.6e9},
                                                                       {"d", 8.64e10}}};
  for (const auto& [name, factor] : units) {
    if (name == unit) return factor;
  }
  return {};
}

// `unit` is the setting's own ("8kB"), which a bare number is in.
std::optional<double> parse_quantity(const std::string& text, const std::string& unit) {
  char* end = nullptr;
  // Base 0: unix_socket_permissions is written in octal.
  double number = static_cast<double>(std::strtoll(text.c_str(), &end, 0));
  if (end == text.c_str() || *end == '.' || *end == 'e' || *end == 'E') {
    number = std::strtod(text.c_str(), &end);
  }
  if (end == text.c_str()) return {};
  const auto rest = trim(end);
  if (rest.empty() && unit.empty()) return number;
  if (!rest.empty()) {
    const auto factor = factor_of(rest);
    return factor ? std::optional<double>(number * *factor) : std::nullopt;
  }
  const double base = std::strtod(unit.c_str(), &end);
  const auto factor = factor_of(end);
  if (!factor) return {};
  return number * *factor * (end == unit.c_str() ? 1 : base);
}

}  // namespace

bool same_setting(const std::string& left, const std::string& right, const SettingType& type) {
  if (left == right) return true;
  if (type.vartype == "bool") {
    const auto value = parse_switch(left);
    return value && value == parse_switch(right);
  }
  if (type.vartype == "integer" || type.vartype == "real") {
    const auto one = parse_quantity(left, type.unit);
    const auto other = parse_quantity(right, type.unit);
    return one && other && std::abs(*one - *other) <= 1e-9 * std::max(1.0, std::abs(*one));
  }
  if (type.vartype == "enum") {
    const auto value = parse_switch(left);
    return lower_case(left) == lower_case(right) || (value && value == parse_switch(right));
  }
  return false;
}

}  // namespace pgrehearse
