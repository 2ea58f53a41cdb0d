#include "harness/process/process_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

// A grandchild that this process adopts: it has left its session and dropped its environment.
class AdoptedProcess : public testing::Test {
 protected:
  AdoptedProcess() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
  ~AdoptedProcess() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  }

  void start(bool confined, std::vector<const char*> environment = {}) {
    environment.push_back(nullptr);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
      setsid();
      if (confined) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      const pid_t grandchild = fork();
      if (grandchild > 0) {
        const bool written = write(ends[1], &grandchild, sizeof grandchild) > 0;
        _exit(written ? 0 : 1);
      }
      if (chdir("/") != 0) _exit(1);
      char* arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("600"), nullptr};
      execve("/bin/sleep", arguments, const_cast<char**>(environment.data()));
      _exit(1);
    }
    waitpid(child, nullptr, 0);
    ASSERT_EQ(read(ends[0], &pid_, sizeof pid_), static_cast<ssize_t>(sizeof pid_));
    close(ends[0]);
    close(ends[1]);
    const auto name = "/proc/" + std::to_string(pid_) + "/comm";
    for (std::string line; line != "sleep"; usleep(1000)) {
      std::ifstream file(name);
      std::getline(file, line);
    }
  }
  [[nodiscard]] bool found() const {
    const auto processes = processes_with({.label = "PGREHEARSE_SANDBOX=/sandboxes/a",
                                           .directories = {"/sandboxes/a"},
                                           .owner = geteuid()});
    return std::any_of(processes.begin(), processes.end(),
                       [&](const auto& process) { return process.pid == pid_; });
  }

  pid_t pid_ = 0;
};

TEST_F(AdoptedProcess, IsFoundWithoutItsLabel) {
  start(true);
  EXPECT_TRUE(found());
}

TEST_F(AdoptedProcess, OfAnotherSandboxIsSpared) {
  start(true, {"PGREHEARSE_SANDBOX=/sandboxes/b"});
  EXPECT_FALSE(found());
}

TEST_F(AdoptedProcess, ThatIsNotConfinedIsSpared) {
  start(false);
  EXPECT_FALSE(found());
}

}  // namespace
}  // namespace pgrehearse
