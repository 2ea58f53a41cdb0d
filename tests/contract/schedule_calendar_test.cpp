// Due times against `systemd-analyze calendar`, at hours in which no clock is changed: systemd
// treats those differently from cron.
#include <gtest/gtest.h>

#include "harness/common/text.hpp"
#include "harness/common/time_zone.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/serve/schedule/schedule.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

struct SameTimes {
  const char* cron;
  const char* calendar;
};

constexpr auto expressions = std::to_array<SameTimes>({
    {"0 5 * * 6", "Sat *-*-* 05:00:00"},
    {"*/15 9-17 * * mon-fri", "Mon..Fri *-*-* 09..17:00/15:00"},
    {"30 12 1,15 * *", "*-*-01,15 12:30:00"},
    {"5 4 29 2 *", "*-02-29 04:05:00"},
    {"0 6 31 * *", "*-*-31 06:00:00"},
    {"10 22 * 3,10,11 sun", "Sun *-03,10,11-* 22:10:00"},
    {"0 5-23/6 */10 * *", "*-*-1/10 05..23/6:00:00"},
    {"7-59/13 8 * jan-jun 0,3", "Sun,Wed *-01..06-* 08:07/13:00"},
    {"59 23 31 12 *", "*-12-31 23:59:00"},
});

std::vector<Instant> systemd_times(const SameTimes& same, const std::string& zone) {
  BoostCommandRunner runner;
  const auto result = runner.run(
      {.program = "systemd-analyze",
       .arguments = {"calendar", "--iterations=40", "--base-time=2025-01-01 00:00:00 UTC",
                     std::string(same.calendar) + " " + zone}},
      {});
  EXPECT_TRUE(result.succeeded()) << result.error_output;
  std::vector<Instant> times;
  for (const auto line : lines_of(result.output)) {
    // "Next elapse: Sat 2025-01-04 04:00:00 UTC", "Iter. #2: ...". Commands run with TZ=UTC.
    const auto text = trim(line);
    if (!text.starts_with("Next elapse: ") && !text.starts_with("Iter. #")) continue;
    constexpr std::size_t length = 23;  // of date, time and zone
    const auto time = text.substr(text.size() - length, length - 4);
    const auto instant = parse_instant(std::string(time) + "+00");
    EXPECT_TRUE(instant) << line;
    if (instant) times.push_back(*instant);
  }
  return times;
}

TEST(ScheduleCalendar, SameTimesAsSystemd) {
  const auto found = std::filesystem::exists("/usr/bin/systemd-analyze");
  if (!require_or_skip(found ? "" : "systemd-analyze is missing")) return;
  for (const std::string zone : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}) {
    for (const auto& same : expressions) {
      const Schedule schedule(std::get<CronExpression>(parse_cron(same.cron)),
                              *find_time_zone(zone), {.cron = same.cron}, "weekly");
      const auto expected = systemd_times(same, zone);
      EXPECT_GE(expected.size(), 10U) << same.calendar;
      auto due = schedule.next_due(parse_instant("2024-12-31 23:59:59+00").value());
      for (const auto& time : expected) {
        ASSERT_TRUE(due);
        EXPECT_EQ(to_iso8601(*due), to_iso8601(time)) << same.cron << " " << zone;
        due = schedule.next_due(*due);
      }
    }
  }
}

}  // namespace
}  // namespace pgrehearse
