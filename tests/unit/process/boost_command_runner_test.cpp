#include "harness/process/boost_command_runner.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "harness/common/error.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

using std::chrono::milliseconds;

CommandResult run(const Command& command, std::stop_token stop = {}) {
  return BoostCommandRunner().run(command, std::move(stop));
}

Command shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}};
}

TEST(BoostCommandRunnerTest, ReturnsExitCodeAndSeparateStreams) {
  const auto result = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\n");
}

TEST(BoostCommandRunnerTest, ReturnsTheSignalThatEndedTheCommand) {
  const auto result = run(shell("kill -9 $$"));
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_EQ(result.exit_code, -1);
}

TEST(BoostCommandRunnerTest, SetsTheEnvironment) {
  setenv("PGREHEARSE_TEST_INHERITED", "yes", 1);
  setenv("PGBACKREST_REPO1_PATH", "/kept", 1);
  setenv("PGBACKREST_TARGET", "2020-01-01", 1);
  auto command = shell("env");
  command.environment["STATED"] = "a b";
  const auto output = run(command).output;
  EXPECT_EQ(output.find("INHERITED"), std::string::npos);
  EXPECT_NE(output.find("PGBACKREST_REPO1_PATH=/kept\n"), std::string::npos);
  EXPECT_EQ(output.find("PGBACKREST_TARGET"), std::string::npos);
  EXPECT_NE(output.find("STATED=a b\n"), std::string::npos);
  EXPECT_NE(output.find("TZ=UTC\n"), std::string::npos);
}

TEST(BoostCommandRunnerTest, CommandInheritsNoDescriptor) {
  const int open_descriptor = dup(1);
  const auto result = run(shell("ls /proc/self/fd | tr '\\n' ' '"));
  close(open_descriptor);
  // 3 is the directory stream of ls.
  EXPECT_EQ(result.output, "0 1 2 3 ");
}

TEST(BoostCommandRunnerTest, TimeoutEndsTheWholeProcessGroup) {
  auto command = shell("sleep 3600 & echo $!; sleep 3600");
  command.timeout = milliseconds(3000);  // time enough for the shell to print
  const auto result = run(command);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.cancelled);
  const pid_t child = std::stoi(result.output);
  // The grandchild is killed with the group; whoever adopted it may not have reaped it yet.
  const auto state =
      run(shell("cut -d' ' -f3 /proc/" + std::to_string(child) + "/stat 2>/dev/null"));
  EXPECT_TRUE(state.output.empty() || state.output == "Z\n") << state.output;
}

TEST(BoostCommandRunnerTest, CommandThatIgnoresSigtermIsKilledAfterTheTimeout) {
  auto command = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
  command.timeout = milliseconds(100);
  command.grace = milliseconds(100);
  std::stop_source stop;
  const auto result = run(command, stop.get_token());
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
}

TEST(BoostCommandRunnerTest, StopRequestCancelsTheCommand) {
  std::stop_source stop;
  auto command = shell("echo started; sleep 60");
  command.on_line = [&](std::string_view) { stop.request_stop(); };
  const auto result = run(command, stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST(BoostCommandRunnerTest, KeptOutputIsBoundedToTheNewestPart) {
  auto command = shell("yes 0123456789 | head -c 3000000; echo last");
  command.keep_output = 1000;
  const auto result = run(command);
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.output.size(), 1000U);
  EXPECT_TRUE(result.output.ends_with("last\n"));
}

TEST(BoostCommandRunnerTest, DaemonThatKeepsThePipeOpenDoesNotBlockTheRun) {
  // It ends long after CTest's time limit.
  const auto result = run(shell("setsid sleep 3600 & echo $!"));
  EXPECT_EQ(result.exit_code, 0);
  kill(std::stoi(result.output), SIGKILL);
}

TEST(BoostCommandRunnerTest, MissingProgramIsAnEnvironmentError) {
  for (const char* program : {"no-such-program-here", "/no/such/program"}) {
    try {
      run({.program = program});
      FAIL() << program;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::environment);
      EXPECT_NE(std::string(error.what()).find(program), std::string::npos);
    }
  }
}

TEST(BoostCommandRunnerTest, RootSwitchesToTheAccount) {
  const bool root = geteuid() == 0;
  if (!require_or_skip(root ? "" : "only root may change its account", Remedy::none)) return;
  auto command = shell("id -un; id -G | wc -w");
  command.account = find_account("nobody");
  EXPECT_TRUE(run(command).output.starts_with("nobody\n"));
}

TEST(BoostCommandRunnerTest, CommandsRunConcurrentlyFromSeveralThreads) {
  std::vector<std::jthread> threads;
  std::vector<std::string> outputs(8);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&outputs, i] {
      for (int round = 0; round < 5; ++round) outputs[i] += run(shell("echo x")).output;
    });
  }
  threads.clear();
  for (const auto& output : outputs) EXPECT_EQ(output, "x\nx\nx\nx\nx\n");
}

}  // namespace
}  // namespace pgrehearse
