#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/cli/wiring.hpp"
#include "harness/common/host_name.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/report/run_store.hpp"
#include "harness/sandbox/registry.hpp"
#include "tests/fakes/sample_reports.hpp"
#include "tests/fakes/sample_rows.hpp"
#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CleanCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-clean-XXXXXX").string();
    state_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(state_); }

  [[nodiscard]] fs::path root_of(const std::string& run_id) const {
    return state_ / "sandboxes" / run_id;
  }
  // Registers a sandbox like a drill; its owner is alive as long as the result exists.
  [[nodiscard]] OwnedEntry leave(const std::string& run_id, bool kept = false) const {
    auto owned = Registry(state_).publish({.run_id = run_id,
                                           .type = "local",
                                           .scenario = "weekly",
                                           .host = host_name(),
                                           .boot_id = boot_id(),
                                           .account = current_account().name,
                                           .root = root_of(run_id),
                                           .kept = kept});
    fs::create_directories(root_of(run_id) / "data");
    return owned;
  }
  void leave_dead(const std::string& run_id, bool kept = false) const {
    static_cast<void>(leave(run_id, kept));
  }
  [[nodiscard]] CliResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"clean", "--state", state_.string()});
    auto result = run_cli(std::move(words));
    EXPECT_LT(result.exit_code, 4) << result.error_output;
    return result;
  }

  fs::path state_;
};

TEST_F(CleanCommand, NothingToRemoveIsAPass) {
  const auto result = run({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "nothing to remove\n");
}

TEST_F(CleanCommand, RemovesOnlyLeftoversOfKilledDrills) {
  leave_dead("dead");
  leave_dead("kept", true);
  const auto alive = leave("alive");
  const auto result = run({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("removed dead (local of 'weekly')\n  directory "));
  EXPECT_THAT(result.output, HasSubstr("skipped alive (local of 'weekly'): the drill is"));
  EXPECT_THAT(result.output, HasSubstr("skipped kept (local of 'weekly'): kept on request"));
  EXPECT_FALSE(fs::exists(root_of("dead")));
  EXPECT_TRUE(fs::exists(root_of("kept")));
  EXPECT_TRUE(fs::exists(root_of("alive")));
  EXPECT_EQ(run({}).output.find("dead"), std::string::npos);
}

// Two state directories of one host may contain the same run id.
TEST_F(CleanCommand, SameRunIdInAnotherStateDirectoryIsNotRemoved) {
  leave_dead("dead");
  BoostCommandRunner runner;
  std::stop_source stop;
  std::atomic<bool> started = false;
  CommandResult elsewhere;
  std::jthread other([&] {
    elsewhere = runner.run(
        {.program = "sh",
         .arguments = {"-c", "echo started; exec sleep 600"},
         .environment = {{"PGREHEARSE_RUN", "dead"}, {"PGREHEARSE_SANDBOX", "/elsewhere/dead"}},
         .on_line =
             [&](std::string_view) {
               started = true;
               started.notify_all();
             }},
        stop.get_token());
  });
  started.wait(false);
  const auto result = run({});
  EXPECT_THAT(result.output, HasSubstr("removed dead (local of 'weekly')\n  directory "));
  EXPECT_THAT(result.output, Not(HasSubstr("process ")));
  stop.request_stop();
  other.join();
  EXPECT_TRUE(elsewhere.cancelled);
}

TEST_F(CleanCommand, KeptInstancesAreRemovedByIdOrWithKept) {
  leave_dead("one", true);
  leave_dead("two", true);
  leave_dead("other");
  EXPECT_EQ(run({"one"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(root_of("one")));
  EXPECT_TRUE(fs::exists(root_of("two")));
  EXPECT_TRUE(fs::exists(root_of("other")));
  EXPECT_EQ(run({"--kept"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(root_of("two")));
  EXPECT_FALSE(fs::exists(root_of("other")));
}

TEST_F(CleanCommand, ReportOfARemovedCopyDoesNotSayHowToConnect) {
  auto report = passed_report();
  report.id = "one";
  report.scenario.name = "weekly";
  report.sandbox = {.type = "local", .kept = true, .root = root_of("one"), .connect = "psql -h /x"};
  RunStore(state_).create("weekly", "one").save(report);
  leave_dead("one", true);
  const auto shown = [&] { return run_cli({"report", "one", "--state", state_.string()}).output; };
  EXPECT_THAT(shown(), HasSubstr("psql -h /x"));
  fs::rename(root_of("one"), state_ / "moved");
  EXPECT_THAT(shown(), Not(HasSubstr("psql"))) << "removed without clean";
  fs::rename(state_ / "moved", root_of("one"));
  EXPECT_EQ(run({"one"}).exit_code, 0);
  const auto record = load_report(RunStore(state_).find("one"));
  EXPECT_FALSE(record.sandbox.kept);
  EXPECT_TRUE(record.sandbox.removed);
  EXPECT_EQ(record.sandbox.connect, "");
  EXPECT_THAT(record.sandbox.removal, testing::Contains("directory " + root_of("one").string()));
  EXPECT_THAT(shown(), HasSubstr("local, removed"));
}

TEST_F(CleanCommand, ReportOfARemovedCopyKeepsItsTrends) {
  auto report = passed_report();
  report.id = "one";
  report.scenario.name = "weekly";
  report.sandbox = {.type = "local", .kept = true, .root = root_of("one")};
  const auto run_directory = RunStore(state_).create("weekly", "one");
  run_directory.save(report);
  auto ledger = open_ledger({}, state_);
  for (const int hour : {0, 1}) ledger.import(passed_row("weekly", hour));
  leave_dead("one", true);
  EXPECT_EQ(run({"one"}).exit_code, 0);
  std::ifstream page(run_directory.path() / "report.html");
  const std::string html(std::istreambuf_iterator<char>(page), {});
  EXPECT_THAT(html, HasSubstr("class=\"trend\""));
}

TEST_F(CleanCommand, AnUnusableLedgerDoesNotKeepTheConnectionInTheReport) {
  auto report = passed_report();
  report.id = "one";
  report.scenario.name = "weekly";
  report.sandbox = {.type = "local", .kept = true, .root = root_of("one"), .connect = "psql -h /x"};
  const auto run_directory = RunStore(state_).create("weekly", "one");
  run_directory.save(report);
  std::ofstream(run_directory.path() / "report.txt") << "psql -h /x";
  std::ofstream(state_ / "ledger.sqlite") << "this is no database, but long enough to look damaged";
  leave_dead("one", true);
  EXPECT_THAT(run({"one"}).output, HasSubstr("removed one"));
  std::ifstream file(run_directory.path() / "report.txt");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, HasSubstr("local, removed"));
}

TEST_F(CleanCommand, RunningDrillIsNotRemovedEvenByName) {
  const auto alive = leave("alive");
  EXPECT_EQ(run({"alive"}).exit_code, 2);
  EXPECT_TRUE(fs::exists(root_of("alive")));
}

TEST_F(CleanCommand, DryRunRemovesNothing) {
  leave_dead("dead");
  const auto result = run({"--dry-run"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("would remove dead"));
  EXPECT_TRUE(fs::exists(root_of("dead")));
}

TEST_F(CleanCommand, UnremovableFilesAreReportedAndFoundAgain) {
  leave_dead("dead");
  fs::remove_all(root_of("dead"));
  std::ofstream(root_of("dead")) << "not a directory";
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto result = run({});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.output, HasSubstr("failed dead"));
    EXPECT_THAT(result.output, HasSubstr("not removed: " + root_of("dead").string()));
  }
}

TEST_F(CleanCommand, UnknownRunIsAUsageError) {
  leave_dead("weekly-17");
  const auto result = run({"weekly-71"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error_output, HasSubstr("nothing to clean up for run 'weekly-71'"));
  EXPECT_THAT(result.error_output, HasSubstr("did you mean 'weekly-17'?"));
}

TEST_F(CleanCommand, JsonContainsTheSame) {
  leave_dead("dead");
  const auto alive = leave("alive");
  const auto json = nlohmann::json::parse(run({"--format", "json"}).output);
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["run_id"], "alive");
  EXPECT_EQ(json[0]["action"], "skipped");
  EXPECT_EQ(json[0]["alive"], true);
  EXPECT_EQ(json[1]["run_id"], "dead");
  EXPECT_EQ(json[1]["action"], "removed");
  EXPECT_EQ(json[1]["removed"][0], "directory " + root_of("dead").string());
}

}  // namespace
}  // namespace pgrehearse
