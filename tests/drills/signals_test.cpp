// Drills that are interrupted or killed in each phase: after SIGINT and SIGTERM nothing is left;
// what SIGKILL leaves, the next drill removes, while a drill that is alive beside it stays.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

#include "harness/sandbox/registry.hpp"
#include "tests/drills/drill_fixture.hpp"

extern char** environ;

namespace pgrehearse {
namespace {

// `pgrehearse run` as a child whose progress lines can be waited for.
class LiveDrill {
 public:
  LiveDrill(const std::string& scenario, const std::string& state) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> words{PGREHEARSE_BINARY, "run", scenario, "--state", state};
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int failure =
        posix_spawn(&pid_, PGREHEARSE_BINARY, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    lines_ = fdopen(ends[0], "r");
    if (failure != 0) throw std::runtime_error("posix_spawn");
  }
  LiveDrill(const LiveDrill&) = delete;
  LiveDrill& operator=(const LiveDrill&) = delete;
  ~LiveDrill() {
    if (pid_ > 0) end(SIGKILL);
    if (lines_ != nullptr) std::fclose(lines_);
  }

  // Reads on until a line holds `text`; false when the drill ended without one.
  bool wait_for(const std::string& text) {
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), static_cast<int>(line.size()), lines_) != nullptr) {
      seen_ += line.data();
      if (std::string_view(line.data()).find(text) != std::string_view::npos) return true;
    }
    return false;
  }

  // Sends `signal` (0: none) and waits for the end; the exit code, or minus the signal that ended
  // it.
  int end(int signal) {
    if (signal != 0) kill(pid_, signal);
    wait_for("no line is like this");
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  pid_t pid_ = -1;
  FILE* lines_ = nullptr;
  std::string seen_;
};

// The line after which the next phase runs.
constexpr std::array lines_between_phases{
    " started",  "create sandbox: ",         "restore: ",
    "recover: ", "prove landing: ",          "checks while paused: ",
    "promote: ", "checks after promotion: ", "stop: "};

class Signals : public DrillTest {
 protected:
  std::string write_scenario() const {
    const auto file = scratch / "signals.yaml";
    std::ofstream(file) << scenario("checks: [databases, amcheck, page_checksums]\n");
    return file;
  }

  void expect_interrupted_cleanly(int signal, std::span<const char* const> lines) {
    const auto file = write_scenario();
    for (const auto* line : lines) {
      LiveDrill drill(file, state);
      ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
      EXPECT_EQ(drill.end(signal), 130) << line << '\n' << drill.seen();
      expect_nothing_left();
    }
  }
};

TEST_F(Signals, SigtermInEachPhaseLeavesNothing) {
  expect_interrupted_cleanly(SIGTERM, lines_between_phases);
}

// The same code obeys both signals: a few phases tell.
TEST_F(Signals, SigintLeavesNothing) {
  expect_interrupted_cleanly(SIGINT, std::span(lines_between_phases).subspan(1, 3));
}

TEST_F(Signals, WhatSigkillLeavesIsRemovedByTheNextDrillAndALiveOneStays) {
  const auto file = write_scenario();
  for (const auto* line : lines_between_phases) {
    LiveDrill drill(file, state);
    ASSERT_TRUE(drill.wait_for(line)) << line << '\n' << drill.seen();
    EXPECT_EQ(drill.end(SIGKILL), -SIGKILL);
  }
  const auto killed = Registry(state).list();
  EXPECT_FALSE(killed.empty());
  LiveDrill live(file, state);
  ASSERT_TRUE(live.wait_for("create sandbox: ")) << live.seen();
  // The live one removed what it found when it started; one more is killed beside it.
  LiveDrill last(file, state);
  ASSERT_TRUE(last.wait_for("create sandbox: ")) << last.seen();
  EXPECT_EQ(last.end(SIGKILL), -SIGKILL);
  const auto run = run_scenario(scenario("checks: [databases]\n"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  EXPECT_EQ(live.end(0), 0) << live.seen();
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
