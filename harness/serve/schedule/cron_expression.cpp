#include "harness/serve/schedule/cron_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned low = 0;
  unsigned high = 0;
  std::span<const std::string_view> names = {};  // of the values from `low`
};

constexpr auto fields = std::to_array<Field>({
    {.name = "minute", .low = 0, .high = 59},
    {.name = "hour", .low = 0, .high = 23},
    {.name = "day of month", .low = 1, .high = 31},
    {.name = "month", .low = 1, .high = 12, .names = month_names},
    {.name = "day of week", .low = 0, .high = 7, .names = weekday_names},
});

struct Nickname {
  std::string_view name;
  std::string_view expression;
};

constexpr auto nicknames = std::to_array<Nickname>({
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
});

constexpr std::string_view field_order =
    "minute, hour, day of month, month, day of week: \"0 3 * * 6\" is Saturday at 03:00";

std::string allowed(const Field& field) {
  auto text = fmt::format("{}-{}", field.low, field.high);
  if (field.names.empty()) return text;
  return fmt::format("{} or {}-{}", text, field.names.front(), field.names.back());
}

std::string lower_case(std::string_view word) {
  std::string lower(word);
  for (auto& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

std::optional<unsigned> whole_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

// The values of one field. Throws CronProblem.
class FieldParser {
 public:
  // `text` is a part of the expression `whole`.
  FieldParser(const Field& field, std::string_view whole) : field_(field), whole_(whole) {}

  std::bitset<60> parse(std::string_view text) {
    std::bitset<60> values;
    for (const auto part : split(text, ',')) add(part, values);
    return values;
  }

 private:
  [[noreturn]] void refuse(std::string_view part, std::string message, std::string hint) const {
    throw CronProblem{.offset = static_cast<std::size_t>(part.data() - whole_.data()),
                      .message = std::move(message),
                      .hint = std::move(hint)};
  }

  // "*", "5", "1-5", "mon-fri", each with an optional step; only "5/2" is not allowed.
  void add(std::string_view part, std::bitset<60>& values) const {
    if (part.empty()) {
      refuse(part, fmt::format("{}: a value is missing in the list", field_.name),
             fmt::format("allowed: {}", allowed(field_)));
    }
    const auto slash = part.find('/');
    const auto range = part.substr(0, slash);
    const auto dash = range.find('-');
    unsigned low = field_.low;
    unsigned high = field_.high;
    if (range != "*") {
      low = value(range.substr(0, dash));
      high = dash == std::string_view::npos ? low : value(range.substr(dash + 1));
      if (slash != std::string_view::npos && dash == std::string_view::npos) {
        refuse(part, fmt::format("{} '{}': a step requires a range", field_.name, part),
               fmt::format("for example {}-{}{}", range, field_.high, part.substr(slash)));
      }
    }
    if (low > high) refuse_range(range, low, high);
    const unsigned step = slash == std::string_view::npos ? 1 : step_of(part.substr(slash + 1));
    for (unsigned number = low; number <= high; number += step) values.set(number);
  }

  [[nodiscard]] unsigned value(std::string_view text) const {
    const auto name = std::ranges::find(field_.names, lower_case(text));
    if (name != field_.names.end()) {
      return field_.low + static_cast<unsigned>(name - field_.names.begin());
    }
    const auto number = whole_number(text);
    if (number && *number >= field_.low && *number <= field_.high) return *number;
    auto hint = fmt::format("allowed: {}", allowed(field_));
    for (const auto known : field_.names) {
      if (lower_case(text).starts_with(known)) hint = fmt::format("did you mean '{}'?", known);
    }
    if (number) refuse(text, fmt::format("{} {} is out of range", field_.name, text), hint);
    refuse(text, fmt::format("'{}' is not a {}", text, field_.name), hint);
  }

  [[nodiscard]] unsigned step_of(std::string_view text) const {
    const auto step = whole_number(text);
    if (step && *step > 0 && *step <= field_.high) return *step;
    refuse(text, fmt::format("{}: '{}' is not a step", field_.name, text),
           fmt::format("allowed: 1-{}", field_.high));
  }

  [[noreturn]] void refuse_range(std::string_view range, unsigned low, unsigned high) const {
    // Sunday ends a week as 7.
    const bool sunday = field_.high == 7 && high == 0;
    refuse(range, fmt::format("{} '{}': the range ends before it begins", field_.name, range),
           sunday ? fmt::format("write {}-7", low)
                  : fmt::format("write {}-{},{}-{}", low, field_.high, field_.low, high));
  }

  const Field& field_;
  std::string_view whole_;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t";
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(blanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(blanks, end);
  }
  return words;
}

template <std::size_t size>
std::bitset<size> resized(const std::bitset<60>& values) {
  std::bitset<size> result;
  for (std::size_t value = 0; value < size; ++value) result.set(value, values.test(value));
  return result;
}

CronExpression parse_fields(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() != fields.size()) {
    throw CronProblem{.offset = 0,
                      .message = fmt::format("{} fields instead of 5", words.size()),
                      .hint = std::string(field_order)};
  }
  std::array<std::bitset<60>, fields.size()> values;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    values.at(i) = FieldParser(fields.at(i), text).parse(words.at(i));
  }
  if (values[4].test(7)) values[4].set(0);
  return {.minutes = values[0],
          .hours = resized<24>(values[1]),
          .days_of_month = resized<32>(values[2]),
          .months = resized<13>(values[3]),
          .days_of_week = resized<7>(values[4]),
          .either_day = !words[2].starts_with('*') && !words[4].starts_with('*'),
          .wildcard_time = words[0].starts_with('*') || words[1].starts_with('*')};
}

CronExpression parse_nickname(std::string_view text) {
  const auto found = std::ranges::find(nicknames, lower_case(text), &Nickname::name);
  if (found != nicknames.end()) return parse_fields(found->expression);
  std::vector<std::string> names;
  for (const auto& nickname : nicknames) names.emplace_back(nickname.name);
  if (lower_case(text) == "@reboot") {
    throw CronProblem{
        .message = "'@reboot' is not a time",
        .hint = "drills that were missed while the host was down are caught up anyway"};
  }
  const auto near = nearest(lower_case(text), names);
  throw CronProblem{.message = fmt::format("unknown nickname '{}'", text),
                    .hint = near ? fmt::format("did you mean '{}'?", *near)
                                 : fmt::format("known: {}", join(names, ", "))};
}

// Without a day that exists, such as 31 April. A leap year has every day.
bool never_matches(const CronExpression& expression) {
  constexpr std::array<unsigned, 13> lengths{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (expression.either_day) return false;
  for (unsigned month = 1; month < lengths.size(); ++month) {
    for (unsigned day = 1; day <= lengths.at(month); ++day) {
      if (expression.months.test(month) && expression.days_of_month.test(day)) return false;
    }
  }
  return true;
}

}  // namespace

std::chrono::minutes CronExpression::first_match(std::chrono::minutes from) const {
  constexpr std::chrono::minutes day{std::chrono::days{1}};
  for (auto at = std::max(from, std::chrono::minutes{0}); at < day;) {
    const auto hour = static_cast<std::size_t>(at / std::chrono::hours{1});
    if (!hours.test(hour)) {
      at = std::chrono::hours{hour + 1};
    } else if (minutes.test(static_cast<std::size_t>(at.count() % 60))) {
      return at;
    } else {
      ++at;
    }
  }
  return day;
}

std::variant<CronExpression, CronProblem> parse_cron(std::string_view text) {
  try {
    const auto trimmed = trim(text);
    const auto expression = trimmed.starts_with('@') ? parse_nickname(trimmed) : parse_fields(text);
    if (never_matches(expression)) {
      return CronProblem{.message = "no month has this day",
                         .hint = "for example \"0 3 28 2 *\": 28 February at 03:00"};
    }
    return expression;
  } catch (CronProblem& problem) {
    return std::move(problem);
  }
}

}  // namespace pgrehearse
