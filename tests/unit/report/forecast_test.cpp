#include "harness/report/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::HasSubstr;

const Instant now = *parse_instant("2026-11-20T00:00:00Z");

// A drill a week; the cluster grows by 1 GB and the RTO by 10 s a week.
std::vector<PastRecovery> growing(int weeks, double noise = 0) {
  std::vector<PastRecovery> past;
  for (int i = 0; i < weeks; ++i) {
    past.push_back({.at = now - std::chrono::hours(168) * (weeks - i),
                    .rto = 100 + 10 * i + (i % 2 == 0 ? noise : -noise),
                    .bytes = 1e10 + 1e9 * i});
  }
  return past;
}

TEST(LinearFit, NeedsThreeSamplesWithDifferentX) {
  const std::vector<DataPoint> two{{1, 1}, {2, 2}};
  const std::vector<DataPoint> same{{1, 1}, {1, 2}, {1, 3}};
  EXPECT_FALSE(LinearFit::of(two));
  EXPECT_FALSE(LinearFit::of(same));
}

TEST(LinearFit, KnownExample) {
  const std::vector<DataPoint> samples{{1, 2}, {2, 4}, {3, 5}, {4, 4}, {5, 5}};
  const auto fit = LinearFit::of(samples);
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->slope(), 0.6, 1e-9);
  EXPECT_NEAR(fit->at(0), 2.2, 1e-9);
  // s = sqrt(2.4 / 3), t(3) = 3.18, at the mean: sqrt(1 + 1/5)
  EXPECT_NEAR(fit->margin_at(3), 3.18 * 0.894427 * 1.095445, 1e-3);
}

TEST(RtoForecast, PredictsWhenTheObjectiveIsExceeded) {
  const auto forecast = forecast_rto(growing(10), 300, now);
  EXPECT_NEAR(*forecast.seconds, 200, 0.1);
  EXPECT_NEAR(*forecast.bytes_per_day, 1e9 / 7, 1e6);
  ASSERT_TRUE(forecast.exceeded);
  EXPECT_NEAR(Seconds(*forecast.exceeded - now).count() / 86400, 71, 1) << "ten weeks";
  EXPECT_THAT(growth_in_words(forecast), HasSubstr("exceeds its objective about 2027-01-"));
}

TEST(RtoForecast, NoiseWidensTheInterval) {
  const auto forecast = forecast_rto(growing(10, 15), 300, now);
  ASSERT_TRUE(forecast.exceeded);
  ASSERT_TRUE(forecast.latest);
  EXPECT_LT(*forecast.earliest, *forecast.exceeded - std::chrono::hours(24 * 7));
  EXPECT_GT(*forecast.latest, *forecast.exceeded + std::chrono::hours(24 * 7));
  EXPECT_GT(forecast.high - forecast.low, 60);
}

TEST(RtoForecast, NoGrowthIsNoDate) {
  std::vector<PastRecovery> past = growing(10, 15);
  for (auto& drill : past) drill.bytes = 1e10;
  for (std::size_t i = 0; i < past.size(); ++i) past[i].rto = i % 2 == 0 ? 101 : 99;
  const auto forecast = forecast_rto(past, 300, now);
  EXPECT_FALSE(forecast.exceeded);
  EXPECT_FALSE(forecast.earliest);
  EXPECT_EQ(growth_in_words(forecast), "");
}

TEST(RtoForecast, DrillsOfOneDayAreNoTrend) {
  std::vector<PastRecovery> past;
  for (int i = 0; i < 4; ++i) {
    past.push_back({.at = Instant(std::chrono::hours(i)), .rto = 8.0 + i, .bytes = 100.0 + i});
  }
  const auto forecast = forecast_rto(past, 300.0, Instant(std::chrono::hours(5)));
  EXPECT_EQ(forecast.seconds, 9.5);
  EXPECT_FALSE(forecast.exceeded);
}

TEST(RtoForecast, FewDrillsGiveTheirRange) {
  const auto forecast = forecast_rto(growing(2), 300, now);
  EXPECT_DOUBLE_EQ(*forecast.seconds, 105);
  EXPECT_DOUBLE_EQ(forecast.low, 100);
  EXPECT_THAT(in_words(forecast), HasSubstr("from 2 drills since 2026-11-06"));
  EXPECT_EQ(in_words(forecast_rto({}, 300, now)), "unknown: no drill has passed");
}

Report drill(double restore, std::uint64_t bytes) {
  Report report;
  report.backup = BackupRecord{.bytes = bytes};
  report.phases = {{.name = "prepare", .seconds = 1, .completed = true},
                   {.name = "restore", .seconds = restore, .bytes = bytes, .completed = true},
                   {.name = "recover", .seconds = 10, .bytes = 1000, .completed = true}};
  return report;
}

TEST(ExpectedPhases, RestoreIsScaledToTheSizeOfTheBackup) {
  const std::vector<Report> past{drill(20, 2000), drill(10, 1000), drill(90, 3000)};
  const auto expected = expected_phases(past, 4000);
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(expected[1].name, "restore");
  EXPECT_DOUBLE_EQ(expected[1].seconds, 40);
  EXPECT_DOUBLE_EQ(expected[1].low, 40);
  EXPECT_DOUBLE_EQ(expected[1].high, 120);
  EXPECT_EQ(expected[1].bytes, 4000U);
  EXPECT_DOUBLE_EQ(expected[0].seconds, 1);
  EXPECT_TRUE(expected_phases({}).empty());
}

TEST(ExpectedRecovery, UsesTheRatesOfPastDrills) {
  const std::vector<Report> past{drill(20, 2000)};
  const auto expected = expected_recovery(past, 5000, 3000);
  ASSERT_TRUE(expected);
  EXPECT_DOUBLE_EQ(expected->restore, 50);
  EXPECT_DOUBLE_EQ(expected->replay, 30);
  EXPECT_FALSE(expected_recovery({}, 5000, 3000));
}

}  // namespace
}  // namespace pgrehearse
