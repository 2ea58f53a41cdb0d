// Values of PostgreSQL's settings as PostgreSQL compares them: 1GB is 1024MB, on is true.
#pragma once

#include <string>

namespace pgrehearse {

// From pg_settings.
struct SettingType {
  std::string vartype;  // bool, integer, real, enum, string
  std::string unit;     // "8kB", "ms", ...; empty: none
};

bool same_setting(const std::string& left, const std::string& right, const SettingType& type);

}  // namespace pgrehearse
