#include "harness/serve/metrics/metrics_collector.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "harness/history/sqlite_database.hpp"
#include "harness/serve/metrics/observation_file.hpp"
#include "harness/serve/metrics/pushgateway.hpp"
#include "tests/fakes/scripted_http_client.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsCollectorTest : public testing::Test {
 protected:
  MetricsCollectorTest()
      : state(std::filesystem::path(testing::TempDir()) /
              ("metrics-" + std::to_string(getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name())),
        ledger((std::filesystem::create_directories(state),
                std::make_unique<SqliteDatabase>(state))) {}
  ~MetricsCollectorTest() override { std::filesystem::remove_all(state); }

  LedgerRow drill(const std::string& scenario, int hour, Verdict verdict,
                  const std::string& host = "db9") {
    const Instant started = *parse_instant("2026-11-28T00:00:00Z") + std::chrono::hours(hour);
    return {.id = scenario + "-" + std::to_string(hour),
            .scenario = scenario,
            .stanza = "orders",
            .host = host,
            .started = started,
            .state = DrillState::finished,
            .finished = started + std::chrono::minutes(10),
            .verdict = verdict};
  }
  void record(const LedgerRow& row) {
    ASSERT_TRUE(ledger.start(row));
    ledger.finish(row);
  }
  std::string text(MetricsCollector::Options options = {}) {
    options.state = state;
    options.host = "db9";
    return MetricsCollector(options).text(ledger);
  }

  std::filesystem::path state;
  Ledger ledger;
};

TEST_F(MetricsCollectorTest, EachScenarioHasItsNewestDrillAndItsNewestPass) {
  record(drill("weekly", 1, Verdict::pass));
  record(drill("weekly", 2, Verdict::fail));
  record(drill("daily", 3, Verdict::pass));
  const auto metrics = text();
  EXPECT_THAT(
      metrics,
      HasSubstr(
          "pgrehearse_drill_verdict{scenario=\"weekly\",stanza=\"orders\",verdict=\"fail\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("run=\"weekly-2\""));
  EXPECT_THAT(metrics, Not(HasSubstr("run=\"weekly-1\"")));
  EXPECT_THAT(metrics, HasSubstr("pgrehearse_drill_pass_timestamp_seconds{scenario=\"weekly\","
                                 "stanza=\"orders\"} 1795828200\n"));
}

TEST_F(MetricsCollectorTest, DrillThatTheLedgerDoesNotHaveYetIsTheNewest) {
  record(drill("weekly", 1, Verdict::fail));
  const auto metrics = text({.newest = drill("weekly", 5, Verdict::pass)});
  EXPECT_THAT(metrics, HasSubstr("run=\"weekly-5\""));
  EXPECT_THAT(metrics, Not(HasSubstr("run=\"weekly-1\"")));
  EXPECT_THAT(metrics, HasSubstr("pgrehearse_drill_pass_timestamp_seconds"));
}

TEST_F(MetricsCollectorTest, OtherHostsAndScenariosCanBeLeftOut) {
  record(drill("weekly", 1, Verdict::pass));
  record(drill("elsewhere", 1, Verdict::pass, "db8"));
  EXPECT_THAT(text(), HasSubstr("elsewhere"));
  EXPECT_THAT(text({.only_this_host = true}), Not(HasSubstr("elsewhere")));
  EXPECT_THAT(text({.scenario = "elsewhere"}), Not(HasSubstr("weekly")));
}

TEST_F(MetricsCollectorTest, ObservationsAreKeptForLaterExports) {
  save_observation(state, "weekly", {{"pgrehearse_backup_error", {{"stanza", "orders"}}, 1}});
  save_observation(state, "daily", {{"pgrehearse_archive_gaps", {{"stanza", "orders"}}, 2}});
  EXPECT_THAT(text(), HasSubstr("pgrehearse_backup_error{stanza=\"orders\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("pgrehearse_archive_gaps{stanza=\"orders\"} 2\n"));
  EXPECT_THAT(text({.scenario = "daily"}), Not(HasSubstr("pgrehearse_backup_error")));
}

TEST_F(MetricsCollectorTest, PushReplacesTheGroupOfTheScenario) {
  HttpScript script;
  script.responses["http://push/metrics/job/pgrehearse/scenario/weekly"] = {.status = 200};
  push_metrics(ScriptedHttpClient(script), "http://push", "weekly", "x 1\n", {});
  script.responses["http://push/metrics/job/pgrehearse/scenario/weekly"] = {.status = 400};
  EXPECT_THROW(push_metrics(ScriptedHttpClient(script), "http://push/", "weekly", "x 1\n", {}),
               Error);
  EXPECT_THROW(push_metrics(ScriptedHttpClient(script), "http://other", "weekly", "x 1\n", {}),
               Error);
}

}  // namespace
}  // namespace pgrehearse
