// Every form of a crontab's five fields, and what is wrong with the others.
#include "harness/serve/schedule/cron_expression.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

template <std::size_t size>
std::string values(const std::bitset<size>& bits) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    if (bits.test(i)) text += fmt::format("{}{}", text.empty() ? "" : " ", i);
  }
  return text;
}

CronExpression parsed(std::string_view text) {
  const auto result = parse_cron(text);
  if (const auto* problem = std::get_if<CronProblem>(&result)) {
    ADD_FAILURE() << text << ": " << problem->message;
    return {};
  }
  return std::get<CronExpression>(result);
}

// "12: message | hint"
std::string problem_of(std::string_view text) {
  const auto result = parse_cron(text);
  const auto* problem = std::get_if<CronProblem>(&result);
  if (problem == nullptr) return "none";
  return fmt::format("{}: {} | {}", problem->offset, problem->message, problem->hint);
}

TEST(CronExpression, NumbersRangesStepsAndLists) {
  const auto cron = parsed("5,10-12,30-59/10 1-23/7 1,15,28-31 2-12/5 1-5");
  EXPECT_EQ(values(cron.minutes), "5 10 11 12 30 40 50");
  EXPECT_EQ(values(cron.hours), "1 8 15 22");
  EXPECT_EQ(values(cron.days_of_month), "1 15 28 29 30 31");
  EXPECT_EQ(values(cron.months), "2 7 12");
  EXPECT_EQ(values(cron.days_of_week), "1 2 3 4 5");
  EXPECT_TRUE(cron.either_day);
  EXPECT_FALSE(cron.wildcard_time);
}

TEST(CronExpression, AsteriskIsTheWholeRange) {
  const auto cron = parsed("*/15 * * * *");
  EXPECT_EQ(values(cron.minutes), "0 15 30 45");
  EXPECT_EQ(cron.hours.count(), 24U);
  EXPECT_EQ(values(cron.months), "1 2 3 4 5 6 7 8 9 10 11 12");
  EXPECT_EQ(cron.days_of_month.count(), 31U);
  EXPECT_EQ(values(cron.days_of_week), "0 1 2 3 4 5 6");
  EXPECT_FALSE(cron.either_day);
  EXPECT_TRUE(cron.wildcard_time);
}

TEST(CronExpression, NamesInAnyCase) {
  const auto cron = parsed("\t0  3 * jan,MAR-May Sat,mon-Wed ");
  EXPECT_EQ(values(cron.months), "1 3 4 5");
  EXPECT_EQ(values(cron.days_of_week), "1 2 3 6");
}

TEST(CronExpression, SundayIsZeroAndSeven) {
  EXPECT_EQ(values(parsed("0 0 * * 7").days_of_week), "0");
  EXPECT_EQ(values(parsed("0 0 * * 5-7").days_of_week), "0 5 6");
  EXPECT_EQ(values(parsed("0 0 * * sun").days_of_week), "0");
}

// crontab(5): "run when either field matches" only if both are restricted.
TEST(CronExpression, DayFieldsThatBeginWithAnAsteriskDoNotAddDays) {
  EXPECT_TRUE(parsed("30 4 1,15 * 5").matches_day(11, 6, 5));
  EXPECT_TRUE(parsed("30 4 1,15 * 5").matches_day(11, 15, 0));
  EXPECT_FALSE(parsed("30 4 1,15 * 5").matches_day(11, 16, 1));
  EXPECT_FALSE(parsed("30 4 */2 * 5").matches_day(11, 6, 5));
  EXPECT_TRUE(parsed("30 4 */2 * 5").matches_day(11, 13, 5));
  EXPECT_FALSE(parsed("30 4 13 * *").matches_day(11, 14, 6));
}

TEST(CronExpression, Nicknames) {
  const auto same = [](std::string_view nickname, std::string_view text) {
    const auto left = parsed(nickname);
    const auto right = parsed(text);
    return left.minutes == right.minutes && left.hours == right.hours &&
           left.days_of_month == right.days_of_month && left.months == right.months &&
           left.days_of_week == right.days_of_week && left.wildcard_time == right.wildcard_time;
  };
  EXPECT_TRUE(same("@hourly", "0 * * * *"));
  EXPECT_TRUE(same("@daily", "0 0 * * *"));
  EXPECT_TRUE(same("@midnight", "0 0 * * *"));
  EXPECT_TRUE(same("@weekly", "0 0 * * 0"));
  EXPECT_TRUE(same("@monthly", "0 0 1 * *"));
  EXPECT_TRUE(same(" @Yearly ", "0 0 1 1 *"));
  EXPECT_TRUE(same("@annually", "0 0 1 1 *"));
}

TEST(CronExpression, ProblemsNameTheFieldThePlaceAndTheRange) {
  EXPECT_EQ(problem_of("60 3 * * 6"), "0: minute 60 is out of range | allowed: 0-59");
  EXPECT_EQ(problem_of("0 24 * * 6"), "2: hour 24 is out of range | allowed: 0-23");
  EXPECT_EQ(problem_of("0 3 0 * *"), "4: day of month 0 is out of range | allowed: 1-31");
  EXPECT_EQ(problem_of("0 3 * 13 *"), "6: month 13 is out of range | allowed: 1-12 or jan-dec");
  EXPECT_EQ(problem_of("0 3 * * 8"), "8: day of week 8 is out of range | allowed: 0-7 or sun-sat");
  EXPECT_EQ(problem_of("0 3 * * 1,saturday"),
            "10: 'saturday' is not a day of week | did you mean 'sat'?");
  EXPECT_EQ(problem_of("0 3 * * 1,,2"),
            "10: day of week: a value is missing in the list | allowed: 0-7 or sun-sat");
  EXPECT_EQ(problem_of("x 3 * * *"), "0: 'x' is not a minute | allowed: 0-59");
  EXPECT_EQ(problem_of("-5 3 * * *"), "0: '' is not a minute | allowed: 0-59");
  EXPECT_EQ(problem_of("*/0 3 * * *"), "2: minute: '0' is not a step | allowed: 1-59");
  EXPECT_EQ(problem_of("*/ 3 * * *"), "2: minute: '' is not a step | allowed: 1-59");
  EXPECT_EQ(problem_of("5/10 3 * * *"),
            "0: minute '5/10': a step requires a range | for example 5-59/10");
  EXPECT_EQ(problem_of("0 22-6 * * *"),
            "2: hour '22-6': the range ends before it begins | write 22-23,0-6");
  EXPECT_EQ(problem_of("0 3 * * fri-sun"),
            "8: day of week 'fri-sun': the range ends before it begins | write 5-7");
  EXPECT_EQ(problem_of("99999999999 3 * * *"), "0: '99999999999' is not a minute | allowed: 0-59");
}

TEST(CronExpression, ProblemsOfTheWhole) {
  const std::string order =
      " | minute, hour, day of month, month, day of week: \"0 3 * * 6\" is Saturday at 03:00";
  EXPECT_EQ(problem_of(""), "0: 0 fields instead of 5" + order);
  EXPECT_EQ(problem_of("0 3 * *"), "0: 4 fields instead of 5" + order);
  EXPECT_EQ(problem_of("0 0 3 * * 6"), "0: 6 fields instead of 5" + order);
  EXPECT_EQ(problem_of("@weekl"), "0: unknown nickname '@weekl' | did you mean '@weekly'?");
  EXPECT_EQ(problem_of("@reboot"),
            "0: '@reboot' is not a time | drills that were missed while the host was down are "
            "caught up anyway");
  EXPECT_EQ(problem_of("0 3 31 4,6 *"),
            "0: no month has this day | for example \"0 3 28 2 *\": 28 February at 03:00");
  EXPECT_EQ(problem_of("0 3 29 2 *"), "none");
  EXPECT_EQ(problem_of("0 3 31 4 1"), "none");
}

}  // namespace
}  // namespace pgrehearse
