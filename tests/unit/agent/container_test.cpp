// The agent of a container, started as an ordinary process, and the command runner that uses it.
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "harness/agent/client/agent_command_runner.hpp"
#include "harness/agent/client/agent_program.hpp"
#include "harness/agent/protocol.hpp"
#include "harness/agent/socket.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

bool within(std::chrono::milliseconds time, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

constexpr auto timeout = std::chrono::seconds(120);

class ContainerAgentTest : public testing::Test {
 protected:
  void SetUp() override { start("600"); }
  void TearDown() override {
    end();
    std::filesystem::remove_all(directory_);
  }

  void end() {
    if (agent_ == 0) return;
    kill(agent_, SIGKILL);
    waitpid(std::exchange(agent_, 0), nullptr, 0);
  }

  void start(std::string lifetime) {
    std::ofstream(program_, std::ios::binary) << agent_binary();
    std::filesystem::permissions(program_, std::filesystem::perms(0700));
    std::string serve = "serve";
    std::array<char*, 5> words{program_.data(), serve.data(), socket_.data(), lifetime.data()};
    std::string path = "PATH=/usr/bin:/bin";
    std::string image = "OF_IMAGE=image";
    std::string both = "OF_BOTH=image";
    std::array<char*, 4> environment{path.data(), image.data(), both.data()};
    ASSERT_EQ(
        posix_spawn(&agent_, program_.c_str(), nullptr, nullptr, words.data(), environment.data()),
        0);
    ASSERT_TRUE(
        within(timeout, [&] { return static_cast<bool>(agent::connect_to(socket_.c_str())); }));
  }

  // The exit code of the agent.
  int wait_for_end() {
    int status = 0;
    waitpid(agent_, &status, 0);
    agent_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  CommandResult run(const Command& command) { return runner_.run(command, {}); }

  static std::string make_directory() {
    std::string name = testing::TempDir() + "pgrehearse-agent-XXXXXX";
    return mkdtemp(name.data());
  }

  std::filesystem::path directory_ = make_directory();
  std::string program_ = directory_ / "agent";
  std::string socket_ = directory_ / "sessions";
  AgentCommandRunner runner_{socket_,
                             {.image = "the-image",
                              .image_hint = "take another",
                              .ended = "it has ended",
                              .ended_hint = {},
                              .code = FindingCode::env_container,
                              .account = getuid()}};
  pid_t agent_ = 0;
};

TEST_F(ContainerAgentTest, ReturnsBothStreamsAndTheExitCode) {
  const auto result = run({.program = "sh", .arguments = {"-c", "echo out; echo err >&2; exit 7"}});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\n");
}

TEST_F(ContainerAgentTest, SignalIsNotAnExitCode) {
  const auto result = run({.program = "sh", .arguments = {"-c", "kill -USR1 $$"}});
  EXPECT_EQ(result.signal, SIGUSR1);
  EXPECT_EQ(result.exit_code, -1);
}

TEST_F(ContainerAgentTest, CommandInheritsAndOverridesTheImagesEnvironment) {
  const auto result = run({.program = "env", .environment = {{"OF_BOTH", "command"}}});
  EXPECT_THAT(result.output, HasSubstr("OF_IMAGE=image\n"));
  EXPECT_THAT(result.output, HasSubstr("OF_BOTH=command\n"));
  EXPECT_THAT(result.output, HasSubstr("PATH=/usr/bin:/bin\n"));
}

TEST_F(ContainerAgentTest, CommandsRunConcurrently) {
  constexpr int all = 8;
  std::vector<std::jthread> threads;
  threads.reserve(all);
  std::atomic<int> right = 0;
  for (int number = 0; number < all; ++number) {
    threads.emplace_back([&, number] {
      const auto text = std::to_string(number);
      right += run({.program = "echo", .arguments = {text}}).output == text + "\n" ? 1 : 0;
    });
  }
  threads.clear();
  EXPECT_EQ(right, all);
}

TEST_F(ContainerAgentTest, StopRequestEndsTheProcessGroup) {
  std::stop_source stop;
  const auto result = runner_.run({.program = "sh",
                                   .arguments = {"-c", "sleep 1000 & echo $!; wait"},
                                   .on_line = [&](std::string_view) { stop.request_stop(); }},
                                  stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.signal, SIGTERM);
  const auto sleeper = std::stoi(result.output);
  EXPECT_TRUE(within(timeout, [&] {
    std::ifstream stat("/proc/" + std::to_string(sleeper) + "/stat");
    std::string text;
    return !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
  }));
}

TEST_F(ContainerAgentTest, TimeoutEndsTheCommand) {
  const auto result =
      run({.program = "sleep", .arguments = {"1000"}, .timeout = std::chrono::milliseconds(100)});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST_F(ContainerAgentTest, CommandThatIgnoresTheSignalIsKilled) {
  std::stop_source stop;
  const auto result =
      runner_.run({.program = "sh",
                   .arguments = {"-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"},
                   .grace = std::chrono::milliseconds(200),
                   .on_line = [&](std::string_view) { stop.request_stop(); }},
                  stop.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.signal, SIGKILL);
}

// As after a SIGKILL of pgrehearse.
TEST_F(ContainerAgentTest, CommandEndsWhenItsClientDisconnects) {
  const auto file = directory_ / "beat";
  auto session = agent::connect_to(socket_.c_str());
  const auto request = agent::message(
      agent::Message::request,
      agent::to_bytes(agent::Request{
          .program = "sh",
          .arguments = {"-c", "while :; do echo >> " + file.string() + "; sleep 0.01; done"}}));
  ASSERT_EQ(write(session.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  const auto size = [&] {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(file, none);
    return none ? 0 : bytes;
  };
  ASSERT_TRUE(within(timeout, [&] { return size() > 3; }));
  session.reset();
  EXPECT_TRUE(within(timeout, [&] {
    const auto before = size();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return size() == before;
  }));
}

TEST_F(ContainerAgentTest, MissingProgramIsReportedForTheImage) {
  try {
    run({.program = "no-such-program"});
    FAIL() << "it is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), FindingCode::env_binary);
    EXPECT_THAT(error.what(), HasSubstr("program 'no-such-program' not found in image the-image"));
  }
}

// Not PGR-ENV-BINARY, which means that the image lacks the program: checks are skipped for that.
TEST_F(ContainerAgentTest, ProgramThatCannotBeStartedIsReportedForTheSandbox) {
  try {
    run({.program = directory_});
    FAIL() << "a directory was run";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), FindingCode::env_container);
    EXPECT_THAT(error.what(), HasSubstr("Permission denied"));
  }
}

TEST_F(ContainerAgentTest, ConnectionToAnotherAccountsSocketIsRefused) {
  AgentCommandRunner other(
      socket_,
      {.ended = "it has ended", .code = FindingCode::env_container, .account = getuid() + 1});
  EXPECT_THROW(other.run({.program = "true"}, {}), Error);
}

TEST_F(ContainerAgentTest, EndsOnSigtermAndIsThenReportedAsEnded) {
  kill(agent_, SIGTERM);
  EXPECT_EQ(wait_for_end(), 0);
  try {
    run({.program = "true"});
    FAIL() << "somebody answers";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), FindingCode::env_container);
    EXPECT_STREQ(error.what(), "it has ended");
  }
}

TEST_F(ContainerAgentTest, EndsAfterItsLifetime) {
  end();
  std::filesystem::remove(socket_);
  start("1");
  EXPECT_EQ(wait_for_end(), 0);
}

}  // namespace
}  // namespace pgrehearse
