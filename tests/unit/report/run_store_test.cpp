#include "harness/report/run_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "harness/common/error.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class RunStoreTest : public testing::Test {
 protected:
  ~RunStoreTest() override {
    std::error_code ignored;
    fs::remove_all(state_, ignored);
  }

  // A run that began `minute` minutes past three.
  RunDirectory add(const std::string& scenario, int minute, Report report = passed_report()) {
    report.scenario.name = scenario;
    report.started += std::chrono::minutes(minute);
    if (report.finished) *report.finished += std::chrono::minutes(minute);
    report.id = make_run_id(report.started, 0xabcdef01);
    auto directory = store_.create(scenario, report.id);
    directory.save(report);
    return directory;
  }

  std::string refusal(const std::string& text) {
    try {
      return "found " + store_.find(text).string();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return std::string(error.what()) + " | " + error.hint();
    }
  }

  static fs::path make_state() {
    std::string pattern = (fs::temp_directory_path() / "run_store_XXXXXX").string();
    return mkdtemp(pattern.data());
  }

  fs::path state_ = make_state();
  RunStore store_{state_};
};

TEST(RunId, SortsByTimeAndKeepsAllRandomBits) {
  const auto started = *parse_instant("2026-11-20T03:00:00.9Z");
  EXPECT_EQ(make_run_id(started, 0x1a2b3c), "20261120T030000Z-001a2b3c");
  EXPECT_NE(make_run_id(started, 1ULL << 63U), make_run_id(started, 0));
}

TEST_F(RunStoreTest, CreateMakesPrivateDirectoriesAndMovesTheLatestLink) {
  const auto first = add("orders", 0);
  const auto second = add("orders", 1);
  struct stat status {};
  ASSERT_EQ(stat(second.logs().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U & ~0750U, 0U);
  EXPECT_EQ(fs::read_symlink(state_ / "runs/orders/latest"), second.path().filename());
  EXPECT_THROW((void)store_.create("orders", second.path().filename()), Error);
}

TEST_F(RunStoreTest, SaveReplacesTheRecordAndLeavesNothingElse) {
  const auto directory = add("orders", 0, killed_report());
  directory.save(passed_report());
  EXPECT_EQ(to_json(load_report(directory.path() / "report.json")), to_json(passed_report()));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 2);
}

TEST_F(RunStoreTest, ASaveThatFailsKeepsTheOldRecord) {
  const auto directory = add("orders", 0);
  fs::create_directory(directory.path() / ".report.json.part");
  EXPECT_THROW(directory.save(killed_report()), Error);
  EXPECT_TRUE(load_report(directory.path() / "report.json").finished);
}

TEST_F(RunStoreTest, ListsTheNewestFirstAndToleratesWhatAKillLeaves) {
  add("orders", 0);
  add("billing", 1, failed_report());
  add("orders", 2, killed_report());
  const auto half = add("orders", 3);
  fs::resize_file(half.path() / "report.json", 700);
  (void)store_.create("orders", "20261120T030400Z-abcdef01");

  const auto runs = store_.list();
  ASSERT_EQ(runs.size(), 5U);
  EXPECT_EQ(runs[0].diagnosis, "has no report: killed before its first phase");
  EXPECT_EQ(runs[0].started, parse_instant("2026-11-20T03:04:00Z"));
  EXPECT_NE(runs[1].diagnosis.find("unreadable: "), std::string::npos);
  EXPECT_EQ(runs[1].verdict, Verdict::unknown);
  EXPECT_EQ(runs[2].diagnosis, "did not finish: killed, or still running (last phase: restore)");
  EXPECT_EQ(runs[2].verdict, Verdict::unknown);
  EXPECT_FALSE(runs[2].seconds);
  EXPECT_EQ(runs[3].scenario, "billing");
  EXPECT_EQ(runs[3].verdict, Verdict::fail);
  EXPECT_EQ(runs[4].verdict, Verdict::pass);
  EXPECT_DOUBLE_EQ(runs[4].seconds->count(), 401.25);

  EXPECT_EQ(store_.list("billing").size(), 1U);
  EXPECT_EQ(store_.list({}, 2).size(), 2U);
}

TEST_F(RunStoreTest, FindTakesEveryFormOfARun) {
  const auto orders = add("orders", 0).path() / "report.json";
  const auto newer = add("orders", 1).path() / "report.json";
  const auto billing = add("billing", 2).path() / "report.json";
  EXPECT_EQ(store_.find("latest"), billing);
  EXPECT_EQ(store_.find("orders"), newer);
  EXPECT_EQ(store_.find("orders/latest"), newer);
  EXPECT_EQ(store_.find("20261120T030000Z-abcdef01"), orders);
  EXPECT_EQ(store_.find("20261120T0300"), orders);
  EXPECT_EQ(store_.find("orders/20261120T0301"), newer);
  (void)store_.create("orders", "20261120T030000Z-abcdef01-copy");
  EXPECT_EQ(store_.find("20261120T030000Z-abcdef01"), orders);
  EXPECT_EQ(store_.find(orders.string()), orders);
  EXPECT_EQ(store_.find(orders.parent_path().string()), orders);
}

TEST_F(RunStoreTest, FindExplainsWhatItDidNotFind) {
  EXPECT_NE(refusal("latest").find("no drill has run in this state directory"), std::string::npos);
  add("orders", 0);
  add("orders", 1);
  EXPECT_EQ(refusal("20261120T03"),
            "'20261120T03' matches 2 runs | for example '20261120T030100Z-abcdef01' "
            "and '20261120T030000Z-abcdef01'");
  EXPECT_EQ(refusal("ordesr"), "there is no run 'ordesr' | did you mean 'orders'?");
  EXPECT_EQ(refusal("nothing-like-it"),
            "there is no run 'nothing-like-it' | 'pgrehearse history' lists the runs");
  EXPECT_EQ(refusal("../orders/latest").find("found"), std::string::npos);
  EXPECT_EQ(refusal("").find("found"), std::string::npos);
}

TEST_F(RunStoreTest, NewestPassedSkipsKilledAndFailedRunsAndOtherStanzas) {
  EXPECT_FALSE(store_.newest_passed("orders", "orders"));
  add("orders", 0);
  add("orders", 1, killed_report());
  add("orders", 2, failed_report());
  auto elsewhere = passed_report();
  elsewhere.backup->stanza = "billing";
  add("orders", 3, elsewhere);
  const auto report = store_.newest_passed("orders", "orders");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, "20261120T030000Z-abcdef01");
}

TEST_F(RunStoreTest, NewestPassedPrefersItsOwnScenario) {
  add("orders", 0);
  add("nightly", 5);
  EXPECT_EQ(store_.newest_passed("orders", "orders")->scenario.name, "orders");
  EXPECT_EQ(store_.newest_passed("new", "orders")->scenario.name, "nightly");
  EXPECT_FALSE(store_.newest_passed("orders", "billing"));
}

TEST_F(RunStoreTest, AStateDirectoryThatCannotBeMadeIsAnEnvironmentError) {
  std::ofstream(state_ / "file") << "x";
  try {
    (void)RunStore(state_ / "file").create("orders", "20261120T030000Z-abcdef01");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.code(), FindingCode::env_state);
  }
}

}  // namespace
}  // namespace pgrehearse
