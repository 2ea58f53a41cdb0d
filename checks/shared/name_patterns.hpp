// Names left out of a check: shell patterns on "database.schema.relation".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// `*` is any run of characters (dots included), `?` one, `[abc]` one of a set.
bool matches_pattern(const std::string& pattern, const std::string& name);

class NamePatterns {
 public:
  NamePatterns() = default;
  explicit NamePatterns(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  [[nodiscard]] bool match(const std::string& name) const;
  // Whether a pattern leaves out everything in the database ("shop.*").
  [[nodiscard]] bool match_database(std::string_view database) const;
  [[nodiscard]] bool match_relation(std::string_view database, std::string_view relation) const;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace pgrehearse
