// What a query's result should be, and whether it is.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <regex>
#include <string>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// Compares as people mean it: t and true are one, numbers compare as numbers, anything else as
// text.
bool same_value(const std::string& actual, const std::string& expected);

// Negative, 0, positive; nullopt where the two are neither both numbers nor both points in time.
std::optional<int> compare_values(const std::string& left, const std::string& right);

class Expectation {
 public:
  // From the key kind `expectation`: a lone value under "", or any of equals, at_least, at_most,
  // matches and rows, all of which must hold. Throws Error(usage) on a limit that is neither a
  // number nor a point in time, on a broken regular expression, and when nothing is expected.
  explicit Expectation(const std::map<std::string, std::string>& stated);

  // What does not hold, in words; nullopt when all does. The value is the first column of the first
  // row.
  [[nodiscard]] std::optional<std::string> mismatch(const Rows& rows) const;
  // Whether rows themselves are the fault ("no rows"), so that they are worth showing.
  [[nodiscard]] bool wants_no_rows() const { return rows_ == std::size_t{0}; }
  // "at least 10 and at most 20"
  [[nodiscard]] std::string description() const;

 private:
  [[nodiscard]] std::optional<std::string> value_mismatch(const Field& value) const;
  [[nodiscard]] bool wants_value() const;

  std::optional<std::string> equals_;
  std::optional<std::string> at_least_;
  std::optional<std::string> at_most_;
  std::optional<std::string> pattern_;
  std::regex compiled_;
  std::optional<std::size_t> rows_;
};

}  // namespace pgrehearse
