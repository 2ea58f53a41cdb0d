// The five time fields of a crontab line, as crontab(5) of Debian's cron documents them.
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace pgrehearse {

struct CronExpression {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days_of_month;  // 1-31
  std::bitset<13> months;         // 1-12
  std::bitset<7> days_of_week;    // 0: Sunday
  // The day fields are combined with "or" unless one of them begins with '*'.
  bool either_day = false;
  // A '*' at the beginning of the minute or the hour: follows the clock when it is changed, where
  // other expressions are kept from running twice or not at all.
  bool wildcard_time = false;

  [[nodiscard]] bool matches_day(unsigned month, unsigned day, unsigned weekday) const {
    if (!months.test(month)) return false;
    return either_day ? days_of_month.test(day) || days_of_week.test(weekday)
                      : days_of_month.test(day) && days_of_week.test(weekday);
  }
  // The first matching minute of a day that is not before `from`; 24 h when there is none.
  [[nodiscard]] std::chrono::minutes first_match(std::chrono::minutes from) const;
};

struct CronProblem {
  std::size_t offset = 0;  // in the text, of what is wrong
  std::string message;
  std::string hint;
};

// Also "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly" and "@annually".
std::variant<CronExpression, CronProblem> parse_cron(std::string_view text);

}  // namespace pgrehearse
