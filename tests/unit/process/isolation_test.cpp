#include "harness/process/isolation.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/process/confinement.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class IsolationTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto available = available_isolation();
    static_cast<void>(require_or_skip(
        available.missing.empty() ? "" : "not available: " + join(available.missing, ", "),
        Remedy::none));
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-isolation-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    fs::create_directory(directory_ / "secrets");
    std::ofstream(directory_ / "secrets/file") << "secret\n";
    std::ofstream(directory_ / "configuration") << "secret\n";
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
  }

  static CommandResult run(const std::string& script, std::optional<Isolation> isolation) {
    return BoostCommandRunner().run(
        {.program = "sh", .arguments = {"-c", script}, .isolation = std::move(isolation)}, {});
  }

  fs::path directory_;
};

TEST_F(IsolationTest, OnlyTheLoopbackInterfaceIsLeft) {
  const auto result = run("ls /sys/class/net >/dev/null; cut -d: -f1 /proc/net/dev", Isolation{});
  const auto lines = lines_of(result.output);
  ASSERT_EQ(lines.size(), 3U) << result.output;  // two lines of headings
  EXPECT_EQ(trim(lines[2]), "lo");
}

TEST_F(IsolationTest, SharedMemoryIsEmptyAndPrivate) {
  const fs::path file = "/dev/shm/pgrehearse-isolation-" + std::to_string(getpid());
  std::ofstream(file) << "of production\n";
  const auto result = run("ls -A /dev/shm; echo x > " + file.string() + "; ipcs -m",
                          Isolation{.hidden = {"/dev/shm"}});
  EXPECT_EQ(result.output.find("pgrehearse-isolation"), std::string::npos) << result.output;
  std::ifstream unchanged(file);
  std::string line;
  std::getline(unchanged, line);
  EXPECT_EQ(line, "of production");
  fs::remove(file);
}

TEST_F(IsolationTest, HiddenFilesAndDirectoriesAreEmpty) {
  const auto text = "cat " + (directory_ / "configuration").string() + " " +
                    (directory_ / "secrets/file").string();
  EXPECT_EQ(run(text, Isolation{}).output, "secret\nsecret\n");
  const Isolation isolation{
      .hidden = {directory_ / "configuration", directory_ / "secrets", directory_ / "none"}};
  EXPECT_EQ(run(text, isolation).output, "");
  EXPECT_TRUE(fs::exists(directory_ / "secrets/file"));
}

TEST_F(IsolationTest, ProcessesOfTheHostAreHiddenWithTheirFiles) {
  const auto seen = run("cd /proc; echo [0-9]*", Isolation{.hidden = {"/proc"}}).output;
  EXPECT_TRUE(seen.starts_with("1 ")) << seen;
  EXPECT_EQ((" " + seen + " ").find(" " + std::to_string(getpid()) + " "), std::string::npos);
  EXPECT_LT(std::ranges::count(seen, ' '), 5) << seen;
}

TEST_F(IsolationTest, TheFirstProcessesOfTheHostCannotBeReached) {
  const auto own = std::to_string(getpid());
  EXPECT_EQ(run("kill -0 " + own, {}).exit_code, 0);
  EXPECT_NE(run("kill -0 " + own, Isolation{}).exit_code, 0);
}

// A process of the copy could leave its session and drop its label.
TEST_F(IsolationTest, EveryProcessEndsWithTheCommand) {
  const auto mark = directory_ / "mark";
  const auto sleep = "sleep 4711." + std::to_string(getpid());
  const auto result = run("setsid env -i sh -c 'echo x > " + mark.string() + "; exec " + sleep +
                              "' < /dev/null > /dev/null 2>&1 & while [ ! -s " + mark.string() +
                              " ]; do sleep 0.01; done",
                          Isolation{});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(fs::exists(mark));
  const auto left = run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '", {}).output;
  EXPECT_EQ(left.find(sleep), std::string::npos);
}

TEST_F(IsolationTest, ExitCodesSignalsAndStopRequestsPassThrough) {
  EXPECT_EQ(run("exit 7", Isolation{}).exit_code, 7);
  EXPECT_EQ(run("kill -9 $$", Isolation{}).signal, SIGKILL);
  Command command{
      .program = "sh",
      .arguments = {"-c", "trap 'exit 5' QUIT; echo ready; while :; do sleep 0.01; done"},
      .stop_signal = SIGQUIT,
      .isolation = Isolation{}};
  std::stop_source source;
  command.on_line = [&](std::string_view) { source.request_stop(); };
  const auto result = BoostCommandRunner().run(command, source.get_token());
  EXPECT_TRUE(result.cancelled);
  EXPECT_EQ(result.exit_code, 5);
}

TEST_F(IsolationTest, AMissingProgramIsReported) {
  EXPECT_THROW(BoostCommandRunner().run({.program = "/nonexistent", .isolation = Isolation{}}, {}),
               Error);
}

TEST_F(IsolationTest, SecretsInTheEnvironmentAreNotInherited) {
  setenv("PGBACKREST_REPO1_CIPHER_PASS", "secret", 1);
  EXPECT_NE(run("env", {}).output.find("secret"), std::string::npos);
  EXPECT_EQ(run("env", Isolation{}).output.find("secret"), std::string::npos);
  unsetenv("PGBACKREST_REPO1_CIPHER_PASS");
}

TEST_F(IsolationTest, WritesToThePrivateSharedMemoryAreAllowed) {
  const auto file = "/dev/shm/pgrehearse-isolation-test-" + std::to_string(getpid());
  const Command command{.program = "sh",
                        .arguments = {"-c", "echo x > " + file + " && cat " + file},
                        .confine_writes_to = {directory_},
                        .isolation = Isolation{.hidden = {"/dev/shm"}}};
  EXPECT_EQ(BoostCommandRunner().run(command, {}).output, "x\n");
  EXPECT_FALSE(fs::exists(file));
}

// Runs `action` in a thread in which the system call fails as on an old kernel.
void without_system_call(long number, const std::function<void()>& action) {
  std::thread([&] {
    std::array<sock_filter, 4> program{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    action();
  }).join();
}

TEST(OldKernel, CommandsInheritNoDescriptorWithoutCloseRange) {
  const int open_descriptor = dup(1);
  without_system_call(SYS_close_range, [] {
    const auto result = BoostCommandRunner().run(
        {.program = "sh", .arguments = {"-c", "ls /proc/self/fd | tr '\\n' ' '"}}, {});
    EXPECT_EQ(result.output, "0 1 2 3 ");
  });
  close(open_descriptor);
}

TEST(OldKernel, CommandsRunWithoutLandlock) {
  without_system_call(SYS_landlock_create_ruleset, [] {
    EXPECT_FALSE(WriteConfinement::available());
    const auto result = BoostCommandRunner().run(
        {.program = "echo", .arguments = {"ran"}, .confine_writes_to = {"/dev/null"}}, {});
    EXPECT_EQ(result.output, "ran\n");
  });
}

TEST(OldKernel, MissingNamespacesAreNamed) {
  without_system_call(SYS_unshare, [] {
    const auto available = available_isolation();
    EXPECT_FALSE(available.means.network);
    EXPECT_FALSE(available.means.memory);
    EXPECT_FALSE(available.means.processes);
    ASSERT_EQ(available.missing.size(), 3U);
    EXPECT_EQ(available.missing[0], "network namespace (Function not implemented)");
  });
}

}  // namespace
}  // namespace pgrehearse
