// doctor, and what run shares with it.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/drill_session.hpp"
#include "harness/cli/state_directory.hpp"
#include "harness/common/text.hpp"
#include "harness/process/command.hpp"
#include "tests/fakes/sample_reports.hpp"
#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ScenarioFiles : public testing::Test {
 protected:
  ~ScenarioFiles() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  // Its pgBackRest configuration does not exist.
  std::string write(const std::string& file, const std::string& name) {
    const auto path = directory_ / file;
    std::ofstream(path) << "name: " << name << "\nrepository: { stanza: main, config: "
                        << (directory_ / "none.conf").native()
                        << " }\nsandbox: { type: local, run_as: "
                        << (geteuid() == 0 ? "nobody" : current_account().name)
                        << " }\nchecks: [databases]\n";
    return path;
  }
  [[nodiscard]] CliResult run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--state", (directory_ / "state").string()});
    return run_cli(std::move(words));
  }

  static fs::path make_directory() {
    std::string pattern = (fs::temp_directory_path() / "scenario_files_XXXXXX").string();
    const fs::path directory = mkdtemp(pattern.data());
    // For the account that runs the sandbox.
    fs::permissions(directory, fs::perms(0755));
    return directory;
  }
  fs::path directory_ = make_directory();
};

// The missing file is one problem, not also "no backup", "no binaries", "no archive", "no space".
TEST_F(ScenarioFiles, DoctorReportsOneCauseOnce) {
  const auto result = run({"doctor", write("weekly.yaml", "weekly"), "--format", "json"});
  EXPECT_NE(result.exit_code, 0);
  const auto probes = nlohmann::json::parse(result.output).at("probes");
  int problems = 0;
  int unchecked = 0;
  for (const auto& probe : probes) {
    const bool checked = probe.at("checked");
    if (!checked) ++unchecked;
    if (checked && !probe.at("ok")) ++problems;
    EXPECT_TRUE(checked || !probe.at("ok"));
  }
  EXPECT_EQ(problems, 1) << result.output;
  EXPECT_GE(unchecked, 4) << result.output;
}

TEST_F(ScenarioFiles, DoctorWarnsAboutAServerOfTheSameAccount) {
  const auto account = geteuid() == 0 ? find_account("nobody") : current_account();
  const auto program = directory_ / "postgres";
  fs::copy_file("/bin/sleep", program);
  const auto warnings = [&] {
    const auto result = run({"doctor", write("weekly.yaml", "weekly"), "--format", "json"});
    std::vector<std::string> messages;
    const auto document = nlohmann::json::parse(result.output);
    for (const auto& probe : document.at("probes")) {
      if (probe.at("warning")) messages.push_back(probe.at("message"));
    }
    return join(messages, "; ");
  };
  const pid_t server = fork();
  if (server == 0) {
    if (geteuid() == 0 && (setgid(account.gid) != 0 || setuid(account.uid) != 0)) _exit(1);
    execl(program.c_str(), "postgres", "600", nullptr);
    _exit(1);
  }
  while (fs::read_symlink(fmt::format("/proc/{}/exe", server)) != program) usleep(1000);
  const auto text = warnings();
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  EXPECT_THAT(text, HasSubstr("as account '" + account.name + "'"));
  EXPECT_THAT(text, HasSubstr(std::to_string(server)));
  EXPECT_THAT(warnings(), testing::Not(HasSubstr(std::to_string(server))));
}

TEST_F(ScenarioFiles, TwoFilesWithOneNameAreRefused) {
  const auto one = write("weekly.yaml", "weekly");
  const auto two = write("copy.yaml", "weekly");
  for (const std::string command : {"run", "doctor"}) {
    const auto result = run({command, one, two});
    EXPECT_EQ(result.exit_code, 3) << command;
    EXPECT_THAT(result.error_output, HasSubstr(one + " and " + two + " both define the scenario"));
  }
  EXPECT_FALSE(fs::exists(directory_ / "state" / "runs"));
}

TEST(StateDirectory, HomeThatDoesNotExistIsNotUsed) {
  if (geteuid() == 0 || current_account().name == "postgres") GTEST_SKIP() << "HOME is not used";
  const char* set = std::getenv("HOME");
  const std::string saved = set == nullptr ? "" : set;
  setenv("HOME", "/nonexistent/home", 1);
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(resolve_state_directory({}), current_account().home / ".local/state/pgrehearse");
  setenv("HOME", saved.c_str(), 1);
}

TEST(StateDirectory, IsQuotedInPrintedCommands) {
  EXPECT_EQ(state_option("/srv/my drills"), " --state '/srv/my drills'");
  EXPECT_EQ(state_option(resolve_state_directory({})), "");
}

TEST(Output, ReportFileThatCannotBeWrittenIsNeverAPass) {
  EXPECT_EQ(exit_code_of({.report = passed_report()}), ExitCode::pass);
  EXPECT_EQ(exit_code_of({.report = passed_report(), .reports_written = false}), ExitCode::unknown);
  EXPECT_EQ(exit_code_of({.report = failed_report(), .reports_written = false}), ExitCode::fail);
  EXPECT_FALSE(write_run_reports(passed_report(), "/nonexistent", {}));
}

TEST(Output, ScenarioErrorFoundByADrillIsAUsageError) {
  auto report = minimal_report();
  report.error_kind = name_of(ErrorKind::usage);
  EXPECT_EQ(exit_code_of({.report = report}), ExitCode::usage);
  report.error_kind = name_of(ErrorKind::internal);
  EXPECT_EQ(exit_code_of({.report = report}), ExitCode::internal);
}

TEST(Output, StandardOutputThatCannotBeWrittenIsNeverAPass) {
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  dup2(full, STDOUT_FILENO);
  std::string program = "pgrehearse";
  std::string command = "checks";
  std::array<char*, 3> argv{program.data(), command.data(), nullptr};
  testing::internal::CaptureStderr();
  const int code = run_command_line(2, argv.data());
  const auto error = testing::internal::GetCapturedStderr();
  dup2(saved, STDOUT_FILENO);
  close(full);
  close(saved);
  std::cout.clear();
  EXPECT_EQ(code, 2);
  EXPECT_THAT(error, HasSubstr("cannot write to standard output"));
}

}  // namespace
}  // namespace pgrehearse
