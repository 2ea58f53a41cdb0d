#include "harness/serve/metrics/drill_samples.hpp"

#include <gmock/gmock.h>

#include <set>

#include "harness/serve/metrics/metric_table.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

LedgerRow row_of(const Report& report) {
  LedgerRow row{.id = report.id,
                .scenario = "weekly",
                .stanza = "orders",
                .host = "db9",
                .started = report.started};
  set_results(row, report);
  return row;
}

// The values of a metric by the value of one label.
std::map<std::string, double> values_of(const MetricSamples& samples, const std::string& metric,
                                        const std::string& label = "scenario") {
  std::map<std::string, double> values;
  for (const auto& sample : samples) {
    if (sample.metric == metric) values[sample.labels.at(label)] = sample.value;
  }
  return values;
}

TEST(DrillSamplesTest, VerdictIsOneOfThree) {
  MetricSamples samples;
  add_finished_drill(row_of(failed_report()), samples);
  EXPECT_THAT(values_of(samples, "pgrehearse_drill_verdict", "verdict"),
              testing::ElementsAre(std::pair("fail", 1.0), std::pair("pass", 0.0),
                                   std::pair("unknown", 0.0)));
  for (const auto& sample : samples) EXPECT_NE(find_metric(sample.metric), nullptr);
}

TEST(DrillSamplesTest, RatesAndAgesComeFromTheRow) {
  auto row = row_of(passed_report());
  row.restore_bytes = 3000;
  row.restore_time = std::chrono::milliseconds(1500);
  row.landing_time = row.started - std::chrono::seconds(90);
  row.findings = {{"PGR-X", 2}};
  row.phases = {{.name = "recover", .duration = std::chrono::seconds(1)},
                {.name = "recover", .duration = std::chrono::seconds(2)}};
  MetricSamples samples;
  add_finished_drill(row, samples);
  EXPECT_EQ(values_of(samples, "pgrehearse_drill_restore_bytes_per_second").at("weekly"), 2000);
  EXPECT_EQ(values_of(samples, "pgrehearse_drill_landing_age_seconds").at("weekly"), 90);
  EXPECT_EQ(values_of(samples, "pgrehearse_drill_findings", "code").at("PGR-X"), 2);
  EXPECT_EQ(values_of(samples, "pgrehearse_drill_phase_duration_seconds", "phase").at("recover"),
            3);
}

TEST(DrillSamplesTest, WhatWasNotMeasuredIsAbsent) {
  MetricSamples samples;
  add_finished_drill({.id = "x", .scenario = "weekly", .stanza = "orders"}, samples);
  std::set<std::string> metrics;
  for (const auto& sample : samples) metrics.insert(sample.metric);
  EXPECT_THAT(metrics,
              testing::UnorderedElementsAre("pgrehearse_drill_verdict", "pgrehearse_drill_info",
                                            "pgrehearse_drill_start_timestamp_seconds"));
}

TEST(DrillSamplesTest, FailedNotificationsAreCounted) {
  MetricSamples samples;
  const std::vector<Outcome> outcomes{{.name = "slack", .delivery = Delivery::failed},
                                      {.name = "email", .delivery = Delivery::not_due}};
  add_notifications(row_of(passed_report()), outcomes, samples);
  EXPECT_THAT(values_of(samples, "pgrehearse_drill_notification_failed", "notification"),
              testing::ElementsAre(std::pair("email", 0.0), std::pair("slack", 1.0)));
}

}  // namespace
}  // namespace pgrehearse
