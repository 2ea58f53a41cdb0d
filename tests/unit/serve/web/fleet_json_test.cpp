#include "harness/serve/web/fleet_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/serve/web/drill_files.hpp"

namespace pgrehearse {
namespace {

const Instant now = *parse_instant("2026-11-20T03:00:00Z");

LedgerRow drill(const char* stanza, const char* id, Verdict verdict, int days_ago) {
  return {.id = id,
          .scenario = std::string("weekly-") + stanza,
          .stanza = stanza,
          .started = now - std::chrono::hours(24) * days_ago,
          .state = DrillState::finished,
          .verdict = verdict,
          .rto = std::chrono::seconds(100),
          .rto_objective = std::chrono::minutes(30)};
}

std::vector<std::string> order_of(const nlohmann::ordered_json& fleet) {
  std::vector<std::string> names;
  for (const auto& stanza : fleet["stanzas"]) names.push_back(stanza["name"]);
  return names;
}

TEST(FleetJson, StanzasThatWereNeverProvedComeFirstThenFailures) {
  FleetFacts facts{.now = now};
  facts.newest = {drill("good", "1", Verdict::pass, 1), drill("bad", "2", Verdict::fail, 1),
                  drill("odd", "3", Verdict::unknown, 1), drill("new", "4", Verdict::fail, 1)};
  facts.newest_pass = {drill("good", "1", Verdict::pass, 1), drill("bad", "5", Verdict::pass, 8),
                       drill("odd", "6", Verdict::pass, 8), drill("old", "7", Verdict::pass, 90)};
  facts.newest.push_back(drill("old", "7", Verdict::pass, 90));
  const auto fleet = fleet_json(facts);
  EXPECT_EQ(order_of(fleet), (std::vector<std::string>{"new", "bad", "odd", "old", "good"}));
  EXPECT_TRUE(fleet["stanzas"][0]["last_pass"].is_null());
  EXPECT_EQ(fleet["stanzas"][0]["rto"]["objective"], 1800);
}

TEST(FleetJson, ScheduledStanzaWithoutADrillIsShown) {
  FleetFacts facts{.now = now, .scheduler = SchedulerSnapshot{.host = "drill1"}};
  facts.scheduler->scenarios = {{.name = "weekly", .stanza = "orders", .next_start = now}};
  facts.scheduler->errors = {{.file = "x.yaml", .messages = {"x.yaml:1: wrong"}}};
  const auto fleet = fleet_json(facts);
  ASSERT_EQ(order_of(fleet), std::vector<std::string>{"orders"});
  EXPECT_TRUE(fleet["stanzas"][0]["last"].is_null());
  EXPECT_EQ(fleet["stanzas"][0]["next"], "2026-11-20T03:00:00.000000Z");
  EXPECT_EQ(fleet["errors"][0]["messages"][0], "x.yaml:1: wrong");
}

TEST(FleetJson, CoverageCountsBackupsOfTheRepositoryOnly) {
  FleetFacts facts{.now = now};
  facts.coverage = {{.stanza = "orders", .backups = {{.label = "a"}, {.label = "expired"}}}};
  EXPECT_TRUE(fleet_json(facts)["stanzas"][0]["coverage"]["backups"].is_null());
  facts.backups["orders"] = {"a", "b", "c"};
  const auto stanza = stanza_json(facts, "orders");
  EXPECT_EQ(stanza["coverage"]["proved"], 1);
  EXPECT_EQ(stanza["coverage"]["backups"], 3);
  EXPECT_EQ(stanza["never_proved"], (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(stanza_json(facts, "none").is_null());
}

TEST(FleetJson, ForecastUsesDrillsThatPassed) {
  FleetFacts facts{.now = now};
  for (int week = 0; week < 10; ++week) {
    facts.points.push_back({.id = std::to_string(week),
                            .stanza = "orders",
                            .started = now - std::chrono::hours(168) * (10 - week),
                            .verdict = week == 5 ? Verdict::fail : Verdict::pass,
                            .rto = std::chrono::seconds(week == 5 ? 1 : 100 + 10 * week),
                            .backup_bytes = 1000000000ULL * static_cast<unsigned>(10 + week)});
  }
  facts.newest_pass = {drill("orders", "1", Verdict::pass, 1)};
  const auto forecast = stanza_json(facts, "orders")["restore_now"];
  EXPECT_NEAR(forecast["seconds"].get<double>(), 200, 1);
  EXPECT_EQ(forecast["basis"], "9 drills since 2026-09-11");
  EXPECT_TRUE(forecast["exceeded"].is_string());
}

TEST(DrillFiles, OnlyRunIdsReachTheFileSystem) {
  EXPECT_TRUE(is_run_id("20261120T030000Z-1a2b3c4d"));
  for (const auto* id : {"../../etc/passwd", "20261120T030000Z-1a2b3c4/", "", "latest",
                         "20261120T030000Z-1A2B3C4D", "20261120T030000Z-1a2b3c4d/.."}) {
    EXPECT_FALSE(is_run_id(id)) << id;
  }
}

TEST(DrillFiles, OnlyListedRegularFilesAreDownloaded) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "drill-files";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  EXPECT_FALSE(DrillFiles::download(directory, "report.json"));
  std::filesystem::create_symlink("/etc/passwd", directory / "report.json");
  EXPECT_FALSE(DrillFiles::download(directory, "report.json"));
  EXPECT_FALSE(DrillFiles::download(directory, "../drill-files/report.json"));
  EXPECT_FALSE(DrillFiles::download(directory, "logs"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace pgrehearse
