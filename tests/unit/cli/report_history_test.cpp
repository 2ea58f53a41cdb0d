#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "harness/common/text.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/reporter.hpp"
#include "tests/fakes/sample_reports.hpp"
#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class OldRunsTest : public testing::Test {
 protected:
  OldRunsTest() {
    const RunStore store(state_);
    auto failed = failed_report();
    failed.started -= std::chrono::hours(24);
    *failed.finished -= std::chrono::hours(24);
    failed.id = "20261119T030000Z-00000001";
    store.create("weekly-orders", failed.id).save(failed);
    store.create("weekly-orders", passed_report().id).save(passed_report());
    auto killed = killed_report();
    killed.scenario.name = "billing";
    killed.started -= std::chrono::hours(1);
    killed.id = "20261120T020000Z-00000002";
    store.create("billing", killed.id).save(killed);
  }
  ~OldRunsTest() override {
    std::error_code ignored;
    fs::remove_all(state_, ignored);
  }

  CliResult run(std::vector<std::string> words) {
    words.insert(words.end(), {"--state", state_.string()});
    return run_cli(std::move(words));
  }

  static fs::path make_state() {
    std::string pattern = (fs::temp_directory_path() / "old_runs_XXXXXX").string();
    return mkdtemp(pattern.data());
  }
  fs::path state_ = make_state();
};

TEST_F(OldRunsTest, ReportWithoutArgumentShowsTheNewestRun) {
  const auto result = run({"report"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, StartsWith("PASS  weekly-orders\n"));
  EXPECT_EQ(result.output.find('\x1b'), std::string::npos);
}

// The exit code does not depend on the verdict of the run shown.
TEST_F(OldRunsTest, ReportRendersEveryFormatOfAFailedRun) {
  EXPECT_EQ(run({"report", "20261119"}).exit_code, 0);
  EXPECT_THAT(run({"report", "20261119", "--format", "junit"}).output, StartsWith("<?xml"));
  EXPECT_THAT(run({"report", "20261119", "--format", "markdown"}).output, StartsWith("## "));
  const auto json = run({"report", "20261119", "--format", "json"}).output;
  EXPECT_EQ(nlohmann::json::parse(json)["verdict"], "fail");
  EXPECT_EQ(run({"--format", "json", "report", "20261119"}).output, json);
}

TEST_F(OldRunsTest, ReportWritesOnlyTheOutputFile) {
  const auto file = state_ / "out.xml";
  const auto result = run({"report", "billing", "--format", "junit", "--output", file.string()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(content_of(file), StartsWith("<?xml"));
  EXPECT_EQ(std::distance(fs::directory_iterator(state_), fs::directory_iterator()), 2);
}

TEST_F(OldRunsTest, UnwritableReportFileIsReportedWithItsCause) {
  const auto result = run({"report", "--output", (state_ / "none" / "out.txt").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error_output, HasSubstr("No such file or directory"));
}

TEST_F(OldRunsTest, ReportFileKeepsLinksAndWritesToDevices) {
  std::ofstream(state_ / "old") << "old";
  fs::create_symlink("old", state_ / "link");
  write_report_file(passed_report(), "text", state_ / "link");
  EXPECT_TRUE(fs::is_symlink(state_ / "link"));
  EXPECT_THAT(content_of(state_ / "old"), StartsWith("PASS"));
  EXPECT_NO_THROW(write_report_file(passed_report(), "text", "/dev/null"));
  EXPECT_THROW(write_report_file(passed_report(), "text", "/dev/full"), Error);
}

TEST_F(OldRunsTest, ReportRejectsUnknownRunsAndFormats) {
  EXPECT_EQ(run({"report", "weekly-order"}).exit_code, 3);
  EXPECT_THAT(run({"report", "weekly-order"}).error_output,
              HasSubstr("hint: did you mean 'weekly-orders'?"));
  EXPECT_THAT(run({"report", "--format", "junitt"}).error_output,
              HasSubstr("did you mean 'junit'"));
}

TEST_F(OldRunsTest, HistoryListsTheNewestFirst) {
  const auto result = run({"history"});
  EXPECT_EQ(result.exit_code, 0);
  const auto lines = lines_of(result.output);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0],
            "STARTED (UTC)        SCENARIO       VERDICT       TIME  RUN                        "
            "DIAGNOSIS");
  EXPECT_THAT(std::string(lines[1]),
              StartsWith("2026-11-20 03:00:00  weekly-orders  pass      6min 41s  "
                         "20261120T030000Z-1a2b3c4d  backup 2026"));
  EXPECT_EQ(lines[2],
            "2026-11-20 02:00:00  billing        unknown          -  20261120T020000Z-00000002  "
            "did not finish: killed, or still running (last phase: restore)");
  EXPECT_THAT(std::string(lines[3]), HasSubstr("FAIL"));
}

TEST_F(OldRunsTest, HistoryFiltersLimitsAndPrintsJson) {
  EXPECT_EQ(lines_of(run({"history", "billing"}).output).size(), 2U);
  EXPECT_THAT(run({"history", "--limit", "1"}).output, HasSubstr("(for older runs: --limit 5)"));
  EXPECT_EQ(lines_of(run({"history", "--limit", "0"}).output).size(), 4U);
  const auto json = nlohmann::json::parse(run({"history", "--format", "json"}).output);
  ASSERT_EQ(json.size(), 3U);
  EXPECT_EQ(json[1]["verdict"], "unknown");
  EXPECT_TRUE(json[1]["seconds"].is_null());
  EXPECT_EQ(json[2]["seconds"], 401.25);
}

TEST_F(OldRunsTest, HistoryRejectsAScenarioWithoutRuns) {
  const auto result = run({"history", "biling"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.error_output,
            "error: no runs of scenario 'biling'\nhint: did you mean 'billing'?\n");
}

TEST(History, ReportsThatThereAreNoRuns) {
  const auto result = run_cli({"history", "--state", "/nonexistent/state"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "no runs in /nonexistent/state\n");
  EXPECT_EQ(run_cli({"history", "--format", "json", "--state", "/nonexistent/state"}).output,
            "[]\n");
}

}  // namespace
}  // namespace pgrehearse
