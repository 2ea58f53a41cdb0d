#include "harness/serve/metrics/metrics_text.hpp"

#include <gmock/gmock.h>

#include <set>

#include "harness/serve/metrics/metric_table.hpp"

namespace pgrehearse {
namespace {

TEST(MetricsTextTest, FamiliesAreGroupedEscapedAndWithoutDuplicates) {
  const MetricSamples samples{
      {"pgrehearse_backup_error", {{"stanza", "b"}}, 1},
      {"pgrehearse_drill_info", {{"diagnosis", "page \"7\"\nof C:\\x"}}, 1},
      {"pgrehearse_backup_error", {{"stanza", "a"}}, 0},
      {"pgrehearse_backup_error", {{"stanza", "a"}}, 1},  // an older observation
      {"pgrehearse_of_a_later_version", {}, 1},
  };
  EXPECT_EQ(metrics_text(samples),
            "# HELP pgrehearse_drill_info The newest finished drill in words; the value is 1\n"
            "# TYPE pgrehearse_drill_info gauge\n"
            "pgrehearse_drill_info{diagnosis=\"page \\\"7\\\"\\nof C:\\\\x\"} 1\n"
            "# HELP pgrehearse_backup_error 1 if page checksum errors were found by the newest "
            "backup, else 0\n"
            "# TYPE pgrehearse_backup_error gauge\n"
            "pgrehearse_backup_error{stanza=\"a\"} 0\n"
            "pgrehearse_backup_error{stanza=\"b\"} 1\n");
}

TEST(MetricsTextTest, NamesAreUniqueAndHaveUnits) {
  std::set<std::string_view> names;
  for (const auto& metric : metric_table()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.name.ends_with("_total")) << "only gauges: " << metric.name;
    EXPECT_FALSE(metric.labels.empty());
  }
}

}  // namespace
}  // namespace pgrehearse
