// Real processes: they outlive whoever started them, and are found again.
#include "harness/serve/spawned_processes.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class SpawnedProcessesTest : public testing::Test {
 protected:
  SpawnedProcessesTest() {
    std::string pattern = "/tmp/pgrehearse-spawned-XXXXXX";
    state_ = mkdtemp(pattern.data());
  }
  ~SpawnedProcessesTest() override { std::filesystem::remove_all(state_); }

  SpawnedProcesses processes(const std::filesystem::path& program = "/bin/sh") {
    return {state_, program, {.nice = 3, .io_class = IoClass::low}};
  }
  // A shell instead of pgrehearse.
  static pid_t start(SpawnedProcesses& processes, const std::string& script,
                     const std::string& run_id = "r1") {
    StartedProcess entry{.run_id = run_id, .scenario = "weekly", .stanza = "orders"};
    entry.due = Instant(std::chrono::hours(1));
    entry.demand = {.memory = {5}, .disk = Bytes{7}, .directory = "/a"};
    return processes.start(entry, {"-c", script});
  }
  static void wait_for_end(SpawnedProcesses& processes) {
    ASSERT_TRUE(poll_until(std::chrono::steady_clock::now() + 2min, 10ms, {},
                           [&] { return !processes.list().at(0).running; }));
  }

  std::filesystem::path state_;
};

TEST_F(SpawnedProcessesTest, AnEntryDescribesARunningDrill) {
  auto first = processes();
  const auto pid = start(first, "exec sleep 600");
  const auto entries = first.list();
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].run_id, "r1");
  EXPECT_EQ(entries[0].scenario, "weekly");
  EXPECT_EQ(entries[0].stanza, "orders");
  EXPECT_EQ(entries[0].due, Instant(std::chrono::hours(1)));
  EXPECT_EQ(entries[0].demand.memory, Bytes{5});
  EXPECT_EQ(entries[0].demand.disk, Bytes{7});
  EXPECT_EQ(entries[0].demand.directory, "/a");
  EXPECT_EQ(entries[0].pid, pid);
  EXPECT_TRUE(entries[0].running);
  // A session of its own, with the priority of drills.
  EXPECT_EQ(getsid(pid), pid);
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(pid)), getpriority(PRIO_PROCESS, 0) + 3);
  // Its successor finds it, too.
  auto second = processes();
  EXPECT_TRUE(second.list().at(0).running);
  second.stop("r1");
  EXPECT_TRUE(second.list().at(0).stopping);
  wait_for_end(first);
  second.remove("r1");
  EXPECT_THAT(second.list(), IsEmpty());
  EXPECT_THAT(first.list(), IsEmpty());
}

TEST_F(SpawnedProcessesTest, AKilledDrillIsFoundEnded) {
  auto first = processes();
  const auto pid = start(first, "exec sleep 600");
  kill(pid, SIGKILL);
  wait_for_end(first);
  EXPECT_EQ(first.remove("r1"), "");
}

TEST_F(SpawnedProcessesTest, StandardErrorIsKept) {
  auto first = processes();
  start(first, "echo out; echo 'no such file' >&2; read line");
  wait_for_end(first);
  EXPECT_EQ(first.remove("r1"), "no such file\n");
}

// The thread of the scheduler blocks signals; a drill must not.
TEST_F(SpawnedProcessesTest, TheSignalMaskIsReset) {
  sigset_t terminate;
  sigset_t before;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &terminate, &before);
  auto first = processes();
  start(first, "exec sleep 600");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  first.stop("r1");
  wait_for_end(first);
}

TEST_F(SpawnedProcessesTest, AProgramThatCannotBeStartedLeavesNothing) {
  auto first = processes("/no/such/program");
  EXPECT_THROW(start(first, ""), Error);
  EXPECT_THAT(first.list(), IsEmpty());
}

TEST_F(SpawnedProcessesTest, EntriesThatAreNotOursAreIgnored) {
  auto first = processes();
  start(first, "true");
  wait_for_end(first);
  const auto directory = state_ / "serve" / "drills";
  std::filesystem::copy(directory / "r1.entry", directory / "r2.entry");
  std::filesystem::create_symlink(directory / "r1.entry", directory / "r3.entry");
  EXPECT_THAT(first.list(), SizeIs(1));
}

}  // namespace
}  // namespace pgrehearse
