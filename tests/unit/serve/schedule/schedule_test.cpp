// Due times across changes of the clock, against a simulation of cron, minute by minute.
#include "harness/serve/schedule/schedule.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness/common/time_zone.hpp"
#include "tests/fakes/cron_daemon.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Instant at(std::string_view text) {
  const auto instant = parse_instant(std::string(text));
  if (!instant) ADD_FAILURE() << text;
  return instant.value_or(Instant());
}

Schedule schedule_of(const std::string& cron, std::string_view zone,
                     std::chrono::milliseconds jitter = 0ms) {
  const auto parsed = parse_cron(cron);
  const auto* found = find_time_zone(zone);
  if (!std::holds_alternative<CronExpression>(parsed) || found == nullptr) std::abort();
  return {std::get<CronExpression>(parsed), *found, {.cron = cron, .jitter = jitter}, "weekly"};
}

// The next due times, in local time.
std::vector<std::string> next(const Schedule& schedule, std::string_view after, int count) {
  std::vector<std::string> times;
  auto instant = at(after);
  for (int i = 0; i < count; ++i) {
    const auto due = schedule.next_due(instant);
    if (!due) break;
    times.push_back(schedule.local_time(*due));
    instant = *due;
  }
  return times;
}

TEST(Schedule, WeeklyInAZone) {
  EXPECT_THAT(next(schedule_of("0 3 * * 6", "Europe/Berlin"), "2026-10-20 00:00:00+00", 3),
              ElementsAre("2026-10-24 03:00 CEST", "2026-10-31 03:00 CET", "2026-11-07 03:00 CET"));
}

TEST(Schedule, ADueTimeIsAfterTheGivenOne) {
  const auto schedule = schedule_of("0 3 * * 6", "UTC");
  EXPECT_EQ(schedule.next_due(at("2026-11-28 02:59:59.999999+00")), at("2026-11-28 03:00:00+00"));
  EXPECT_EQ(schedule.next_due(at("2026-11-28 03:00:00+00")), at("2026-12-05 03:00:00+00"));
  EXPECT_EQ(schedule.last_due(at("2026-11-28 03:00:00+00")), at("2026-11-28 03:00:00+00"));
  EXPECT_EQ(schedule.last_due(at("2026-11-28 02:59:59.999999+00")), at("2026-11-21 03:00:00+00"));
}

// cron(8): "If the time has moved forwards, those jobs which would have run in the time that was
// skipped will be run soon after the change."
TEST(Schedule, AMissingHourIsMadeUpForAfterwards) {
  EXPECT_THAT(
      next(schedule_of("30 2 * * *", "Europe/Berlin"), "2026-03-28 00:00:00+00", 3),
      ElementsAre("2026-03-28 02:30 CET", "2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"));
  // Two times in the missing hour are one drill.
  EXPECT_THAT(next(schedule_of("0,30 2 * * *", "Europe/Berlin"), "2026-03-28 12:00:00+00", 2),
              ElementsAre("2026-03-29 03:00 CEST", "2026-03-30 02:00 CEST"));
}

// cron(8): "those jobs that fall into the repeated time will not be re-run".
TEST(Schedule, ARepeatedHourCountsOnce) {
  EXPECT_THAT(next(schedule_of("30 2 * * *", "Europe/Berlin"), "2026-10-24 12:00:00+00", 2),
              ElementsAre("2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"));
}

// cron(8): "Only jobs that run at a particular time ... are affected."
TEST(Schedule, WildcardsFollowTheClock) {
  EXPECT_THAT(next(schedule_of("30 * * * *", "Europe/Berlin"), "2026-10-24 23:45:00+00", 3),
              ElementsAre("2026-10-25 02:30 CEST", "2026-10-25 02:30 CET", "2026-10-25 03:30 CET"));
  EXPECT_THAT(next(schedule_of("30 * * * *", "Europe/Berlin"), "2026-03-29 00:00:00+00", 2),
              ElementsAre("2026-03-29 01:30 CET", "2026-03-29 03:30 CEST"));
}

// Samoa left out 30 December 2011: a change of more than three hours is a correction.
TEST(Schedule, AMissingDayIsNotMadeUpFor) {
  EXPECT_THAT(next(schedule_of("30 2 * * *", "Pacific/Apia"), "2011-12-29 00:00:00+00", 2),
              ElementsAre("2011-12-29 02:30 -10", "2011-12-31 02:30 +14"));
}

TEST(Schedule, RareDays) {
  EXPECT_THAT(next(schedule_of("0 0 29 2 *", "UTC"), "2096-03-01 00:00:00+00", 1),
              ElementsAre("2104-02-29 00:00 UTC"));
  // A Monday, with the "and" of fields that begin with an asterisk.
  EXPECT_EQ(next(schedule_of("0 0 29 2 */7", "UTC"), "2032-03-01 00:00:00+00", 1).size(), 1U);
  EXPECT_EQ(schedule_of("0 0 29 2 *", "UTC").last_due(at("2026-11-28 00:00:00+00")),
            at("2024-02-29 00:00:00+00"));
}

TEST(Schedule, JitterDelaysStartsDifferently) {
  const auto schedule = schedule_of("0 3 * * *", "UTC", 10min);
  auto due = at("2026-11-28 03:00:00+00");
  std::vector<Instant::duration> delays;
  for (int day = 0; day < 30; ++day, due += std::chrono::days{1}) {
    const auto delay = schedule.start_of(due) - due;
    EXPECT_GE(delay, 0s);
    EXPECT_LE(delay, 10min);
    EXPECT_EQ(schedule.start_of(due) - due, delay);
    delays.push_back(delay);
    // Due, but not to be started yet.
    EXPECT_EQ(schedule.last_started(due + delay), due);
    EXPECT_EQ(schedule.next_to_start(due + delay), due + std::chrono::days{1});
    if (delay > 0s) {
      EXPECT_EQ(schedule.last_started(due + delay - 1s), due - std::chrono::days{1});
      EXPECT_EQ(schedule.next_to_start(due + delay - 1s), due);
    }
  }
  std::ranges::sort(delays);
  EXPECT_GT(delays.back() - delays.front(), 5min);
}

TEST(Schedule, UnknownZones) {
  EXPECT_EQ(find_time_zone("Europe/Berlyn"), nullptr);
  EXPECT_EQ(find_time_zone(""), nullptr);
  EXPECT_EQ(find_time_zone("../../etc/passwd"), nullptr);
  EXPECT_EQ(similar_time_zone("Europe/Berlyn"), "Europe/Berlin");
  EXPECT_EQ(similar_time_zone("Berlin"), "Europe/Berlin");
  EXPECT_EQ(similar_time_zone("qqqqqqqqqqqqqqqq"), "");
}

// From 2025 to 2026, every due time of both directions.
void compare_with_cron(const std::string& cron, const std::string& zone,
                       const std::vector<int>& offsets, std::int64_t first_minute) {
  const auto schedule = schedule_of(cron, zone);
  const auto expected =
      cron_runs(std::get<CronExpression>(parse_cron(cron)), first_minute, offsets);
  auto instant = Instant(std::chrono::minutes(first_minute)) - 1min;
  const auto end = instant + std::chrono::minutes(offsets.size());
  std::size_t count = 0;
  for (auto due = schedule.next_due(instant); due && *due <= end; due = schedule.next_due(*due)) {
    ASSERT_LT(count, expected.size()) << cron << " " << zone << " " << schedule.local_time(*due);
    const Instant run{std::chrono::minutes(expected[count])};
    ASSERT_EQ(*due, run) << cron << " " << zone << " due " << schedule.local_time(*due)
                         << ", cron runs at " << schedule.local_time(run);
    if (count % 97 == 0) {
      ASSERT_EQ(schedule.last_due(*due + 59s), *due);
    }
    ++count;
  }
  ASSERT_EQ(count, expected.size()) << cron << " " << zone;
}

TEST(Schedule, TwoYearsAsCronInZonesThatChangeTheirClocks) {
  constexpr std::int64_t begin = 1735689600 / 60;  // 2025-01-01
  constexpr std::size_t two_years = std::size_t{2} * 365 * 1440;
  // Lord Howe changes by half an hour, Troll by two hours, Casablanca during Ramadan, Santiago at
  // midnight, Chatham is at 45 minutes.
  for (const std::string zone : {"Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll",
                                 "Africa/Casablanca", "America/Santiago", "Pacific/Chatham"}) {
    const auto offsets = offsets_of(zone, begin * 60, two_years);
    for (const std::string cron :
         {"0 3 * * 6", "30 2 * * *", "0 2 * * 0", "15,45 0-3 * * *", "*/20 2 * * *", "7 * * * *",
          "59 23 31 12 *", "0 0 29 2 *", "30 1,2 1,15 * 0", "5 4 */9 3,10,11 sun-tue", "@hourly",
          "0 0 * * *", "0-59/13 1-3 * mar,apr,sep-nov *"}) {
      compare_with_cron(cron, zone, offsets, begin);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace pgrehearse
