// The contract of a local sandbox beyond that of every sandbox.
#include "harness/sandbox/local/local_provisioner.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/process_table.hpp"
#include "tests/contract/provisioner_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LocalProvisionerTest : public ProvisionerContract {
 protected:
  // The error of a create() that must fail; nothing may be left of it.
  Error refused(const SandboxSpec& asked) {
    std::optional<Error> refusal;
    try {
      provisioner_->create(asked, {});
    } catch (const Error& error) {
      refusal = error;
    }
    EXPECT_TRUE(refusal) << "it was not rejected";
    EXPECT_THAT(provisioner_->list(), IsEmpty());
    return refusal.value_or(Error(ErrorKind::internal, "not refused"));
  }
};

TEST_P(LocalProvisionerTest, DirectoryTheAccountMayNotEnterIsReported) {
  const bool root = geteuid() == 0;
  if (!require_or_skip(root ? "" : "an ordinary user enters what it makes", Remedy::none)) return;
  auto asked = spec("drill-1");
  asked.directory = scratch_ / "closed/below";
  fs::create_directories(asked.directory);
  fs::permissions(scratch_ / "closed", fs::perms(0700));
  const auto error = refused(asked);
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.object(), (scratch_ / "closed").string());
  EXPECT_THAT(error.what(), HasSubstr("account 'postgres' cannot enter directory"));
  EXPECT_THAT(error.hint(), HasSubstr("chmod o+x " + (scratch_ / "closed").string()));
  EXPECT_THAT(fs::directory_iterator(asked.directory) == fs::directory_iterator(), true);
}

TEST_P(LocalProvisionerTest, StateDirectoriesCanBeEnteredWhateverTheUmask) {
  const auto before = umask(077);
  const auto sandbox = create("drill-1");
  umask(before);
  EXPECT_TRUE(run(*sandbox, {"ls", sandbox->paths().data.string()}).succeeded());
}

TEST_P(LocalProvisionerTest, LongPathGetsAShortSocketDirectoryThatIsRemovedToo) {
  auto asked = spec("drill-1");
  asked.directory = scratch_ / std::string(100, 'x');
  fs::path sockets;
  const pid_t owner = fork_owner([&] {
    auto sandbox = provisioner_->create(asked, {});
    ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
    std::ofstream(scratch_ / "sockets") << sandbox->paths().sockets.string();
    abandon(std::move(sandbox));
  });
  std::ifstream(scratch_ / "sockets") >> sockets;
  EXPECT_EQ(sockets.parent_path(), "/tmp");
  EXPECT_TRUE(fs::exists(sockets / ".s.PGSQL.5432"));
  struct stat status {};
  ASSERT_EQ(stat(sockets.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  kill_owner(owner);
  ASSERT_EQ(provisioner_->list().size(), 1U);
  EXPECT_THAT(provisioner_->remove(provisioner_->list()[0]).remaining, IsEmpty());
  EXPECT_FALSE(fs::exists(sockets));
  EXPECT_FALSE(fs::exists(asked.directory / "drill-1"));
}

TEST_P(LocalProvisionerTest, SandboxInAnotherDirectoryIsFoundThroughTheState) {
  auto asked = spec("drill-1");
  asked.directory = scratch_ / "elsewhere";
  kill_owner(fork_owner([&] { abandon(provisioner_->create(asked, {})); }));
  const auto all = provisioner_->list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].root, asked.directory / "drill-1");
  EXPECT_TRUE(fs::exists(all[0].root / "sandbox.json"));
  EXPECT_TRUE(provisioner_->remove(all[0]).complete());
  EXPECT_FALSE(fs::exists(all[0].root));
}

TEST_P(LocalProvisionerTest, AccountsThatCannotRunPostgresAreRejected) {
  auto asked = spec("drill-1");
  asked.account = geteuid() == 0 ? "root" : "nobody";
  EXPECT_EQ(refused(asked).kind(), ErrorKind::environment);
  asked.account = "no-such-account";
  EXPECT_EQ(refused(asked).object(), "no-such-account");
}

TEST_P(LocalProvisionerTest, MissingBinariesLeaveNothing) {
  auto asked = spec("drill-1");
  asked.postgres_major = 99;
  EXPECT_EQ(refused(asked).code(), FindingCode::env_binaries);
  EXPECT_FALSE(fs::exists(scratch_ / "state"));
}

TEST_P(LocalProvisionerTest, ExistingDirectoryIsRejectedAndKept) {
  const auto file = scratch_ / "state/sandboxes/drill-1/file";
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "precious";
  EXPECT_EQ(refused(spec("drill-1")).object(), file.parent_path().string());
  EXPECT_TRUE(fs::exists(file));
}

TEST_P(LocalProvisionerTest, ProcessWithoutLabelIsRecognizedByItsDirectory) {
  const auto sandbox = create("drill-1");
  const auto data = sandbox->paths().data.string();
  run(*sandbox, {"sh", "-c",
                 "cd " + data + "; env -i setsid /bin/sh -c 'echo > ready; exec sleep 86401' & " +
                     "until [ -e " + data + "/ready ]; do sleep 0.01; done"});
  EXPECT_THAT(processes_mentioning(data), Not(IsEmpty()));
  EXPECT_THAT(join(sandbox->destroy().removed, "\n"), HasSubstr(" sleep"));
  EXPECT_THAT(processes_mentioning(data), IsEmpty());
}

// A user reading the logs of a leftover while it is removed must not lose the terminal.
TEST_P(LocalProvisionerTest, InteractiveProcessInTheDirectoryIsNotEnded) {
  const auto sandbox = create("drill-1");
  const auto owner = find_account(sandbox->spec().account);
  int terminal = -1;
  const pid_t person = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (person == 0) {
    if (geteuid() == 0 && (setgid(owner.gid) != 0 || setuid(owner.uid) != 0)) _exit(1);
    if (chdir(sandbox->paths().root.c_str()) != 0) _exit(2);
    execlp("sh", "sh", "-c", "echo ready; exec sleep 86402", nullptr);
    _exit(3);
  }
  char letter = 0;
  ASSERT_EQ(read(terminal, &letter, 1), 1);
  EXPECT_TRUE(sandbox->destroy().complete());
  int status = 0;
  EXPECT_EQ(waitpid(person, &status, WNOHANG), 0) << "the interactive process was ended";
  kill_owner(person);
  close(terminal);
}

TEST_P(LocalProvisionerTest, NoZombieRemains) {
  const auto sandbox = create("drill-1");
  ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
  EXPECT_TRUE(sandbox->destroy().complete());
  const auto processes = all_processes();
  EXPECT_TRUE(std::none_of(processes.begin(), processes.end(), [](const auto& process) {
    return process.parent == getpid() && !process.alive();
  }));
}

// pg_ctl considers a postmaster alive while its PID exists, which includes a zombie.
TEST_P(LocalProvisionerTest, PgCtlNoticesThatTheServerDied) {
  const auto sandbox = create("drill-1");
  ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
  const auto data = sandbox->paths().data.string();
  const std::vector<std::string> ask{sandbox->program("pg_ctl"), "-D", data, "status"};
  EXPECT_EQ(run(*sandbox, ask).exit_code, 0);
  const pid_t postmaster = std::stoi(sandbox->read_file(data + "/postmaster.pid"));
  const int process = static_cast<int>(syscall(SYS_pidfd_open, postmaster, 0));
  kill(postmaster, SIGKILL);
  pollfd event{.fd = process, .events = POLLIN, .revents = 0};
  poll(&event, 1, 10000);
  close(process);
  EXPECT_EQ(run(*sandbox, ask).exit_code, 3) << "3: no server is running";
}

INSTANTIATE_TEST_SUITE_P(Local, LocalProvisionerTest, testing::Values(provisioner_kinds().front()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pgrehearse
