#include "checks/parsers/expectation.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"
#include "harness/common/units.hpp"

namespace pgrehearse {

namespace {

template <typename Number>
std::optional<Number> parse_number(const std::string& text) {
  // from_chars would take "inf" and "nan" as well.
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string::npos) return {};
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<bool> parse_boolean(const std::string& text) {
  if (text == "t" || text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "f" || text == "false" || text == "False" || text == "FALSE") return false;
  return {};
}

template <typename Value>
int sign_of(const Value& left, const Value& right) {
  return left < right ? -1 : (right < left ? 1 : 0);
}

// long double holds every bigint exactly; a double does not.
std::optional<int> compare_numbers(const std::string& left, const std::string& right) {
  const auto left_number = parse_number<long double>(left);
  const auto right_number = parse_number<long double>(right);
  if (left_number && right_number) return sign_of(*left_number, *right_number);
  return {};
}

// A date alone counts from its midnight in UTC, the time zone of every session.
std::optional<Instant> parse_point(const std::string& text) {
  if (auto instant = parse_instant(text)) return instant;
  if (auto instant = parse_instant(text + "Z")) return instant;
  return parse_instant(text + " 00:00:00Z");
}

bool is_null_word(const std::string& text) { return text == "null" || text == "NULL"; }

void require_comparable(const std::string& key, const std::optional<std::string>& limit) {
  if (!limit || compare_values(*limit, *limit)) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("expect.{} is '{}', which is neither a number nor a point in time", key, *limit));
}

}  // namespace

std::optional<int> compare_values(const std::string& left, const std::string& right) {
  if (auto order = compare_numbers(left, right)) return order;
  const auto left_point = parse_point(left);
  const auto right_point = parse_point(right);
  if (left_point && right_point) return sign_of(*left_point, *right_point);
  return {};
}

bool same_value(const std::string& actual, const std::string& expected) {
  if (actual == expected) return true;
  const auto actual_boolean = parse_boolean(actual);
  if (actual_boolean && actual_boolean == parse_boolean(expected)) return true;
  return compare_numbers(actual, expected) == 0;
}

Expectation::Expectation(const std::map<std::string, std::string>& stated) {
  const auto find = [&](const std::string& key) -> std::optional<std::string> {
    const auto found = stated.find(key);
    if (found == stated.end()) return {};
    return found->second;
  };
  equals_ = find("equals");
  at_least_ = find("at_least");
  at_most_ = find("at_most");
  pattern_ = find("matches");
  if (const auto value = find("")) {
    if (*value == "no rows") {
      rows_ = 0;
    } else {
      equals_ = value;
    }
  }
  if (const auto rows = find("rows")) {
    rows_ = parse_number<std::size_t>(*rows);
    if (!rows_) throw Error(ErrorKind::usage, "expect.rows is '" + *rows + "', not a whole number");
  }
  require_comparable("at_least", at_least_);
  require_comparable("at_most", at_most_);
  if (pattern_) {
    try {
      compiled_ = std::regex(*pattern_);
    } catch (const std::regex_error& error) {
      throw Error(ErrorKind::usage,
                  fmt::format("expect.matches is not a regular expression: {}", error.what()));
    }
  }
  if (!rows_ && !wants_value()) {
    throw Error(ErrorKind::usage, "expect is empty",
                "set a value, `no rows`, or any of equals, at_least, at_most, matches and rows");
  }
}

bool Expectation::wants_value() const { return equals_ || at_least_ || at_most_ || pattern_; }

std::string Expectation::description() const {
  std::vector<std::string> parts;
  if (rows_) parts.push_back(*rows_ == 0 ? "no rows" : fmt::format("{} rows", *rows_));
  if (equals_) parts.push_back(fmt::format("'{}'", *equals_));
  if (at_least_) parts.push_back(fmt::format("at least {}", *at_least_));
  if (at_most_) parts.push_back(fmt::format("at most {}", *at_most_));
  if (pattern_) parts.push_back(fmt::format("a value matching /{}/", *pattern_));
  return join(parts, " and ");
}

std::optional<std::string> Expectation::mismatch(const Rows& rows) const {
  if (rows_ && rows.rows.size() != *rows_) {
    return "returned " + counted(rows.rows.size(), "row");
  }
  if (!wants_value()) return {};
  if (rows.rows.empty()) return "returned no rows";
  if (rows.rows[0].empty()) return "returned no columns";
  return value_mismatch(rows.rows[0][0]);
}

std::optional<std::string> Expectation::value_mismatch(const Field& value) const {
  if (!value) {
    const bool wanted = equals_ && is_null_word(*equals_) && !at_least_ && !at_most_ && !pattern_;
    return wanted ? std::nullopt : std::optional<std::string>("returned NULL");
  }
  constexpr std::size_t most_shown = 200;
  const auto returned = fmt::format("returned '{}'", value->substr(0, most_shown));
  if (equals_ && !same_value(*value, *equals_)) return returned;
  if (at_least_) {
    const auto order = compare_values(*value, *at_least_);
    if (!order) return returned + ", which cannot be compared with the limit";
    if (*order < 0) return returned;
  }
  if (at_most_) {
    const auto order = compare_values(*value, *at_most_);
    if (!order) return returned + ", which cannot be compared with the limit";
    if (*order > 0) return returned;
  }
  // std::regex recurses once a character: a long text could exhaust the stack.
  constexpr std::size_t most_matched = 4096;
  if (pattern_ && !std::regex_search(value->substr(0, most_matched), compiled_)) return returned;
  return {};
}

}  // namespace pgrehearse
