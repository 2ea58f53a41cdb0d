#include "checks/shared/name_patterns.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

namespace pgrehearse {

bool matches_pattern(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

bool NamePatterns::match(const std::string& name) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& pattern) { return matches_pattern(pattern, name); });
}

bool NamePatterns::match_database(std::string_view database) const {
  // Only a pattern that ends in a star can match the bare prefix, and then it matches all below it.
  return match(fmt::format("{}.", database));
}

bool NamePatterns::match_relation(std::string_view database, std::string_view relation) const {
  return match(fmt::format("{}.{}", database, relation));
}

}  // namespace pgrehearse
