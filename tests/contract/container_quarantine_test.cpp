// The isolation of a container, tested from inside. Each expectation fails if one of its
// restrictions is removed (harness/sandbox/container/container_request.cpp).
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/confinement.hpp"
#include "harness/sandbox/container/block_device.hpp"
#include "harness/sandbox/container/container_engine.hpp"
#include "tests/contract/provisioner_fixture.hpp"
#include "tests/fakes/network_trap.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ContainerQuarantine : public ProvisionerContract {
 protected:
  void SetUp() override {
    ProvisionerContract::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Writable for everybody: only the read-only mount prevents the copy from writing.
    repository_ = scratch_ / "repository";
    fs::create_directories(repository_ / "archive");
    std::ofstream(repository_ / "archive/file") << "precious";
    fs::permissions(repository_, fs::perms(0777));
    fs::permissions(repository_ / "archive", fs::perms(0777));
    fs::permissions(repository_ / "archive/file", fs::perms(0666));
    auto asked = spec("drill-1");
    asked.memory = Bytes{std::uint64_t{256} << 20U};
    asked.options = ContainerOptions{.io_bandwidth = Bytes{std::uint64_t{50} << 20U}};
    asked.readable = {repository_, repository_ / "archive/file"};
    sandbox_ = provisioner_->create(asked, {});
  }
  void TearDown() override {
    sandbox_.reset();
    ProvisionerContract::TearDown();
  }

  std::string inside(const std::string& script) {
    const auto result = run(*sandbox_, {"sh", "-c", script});
    return result.output + result.error_output;
  }
  bool succeeds(const std::string& script) {
    return run(*sandbox_, {"sh", "-c", script}).succeeded();
  }
  // The value of a line of /proc/self/status.
  std::string status(const std::string& name) {
    const auto text = inside("cat /proc/self/status");
    for (const auto line : lines_of(text)) {
      if (line.starts_with(name + ":")) return std::string(trim(line.substr(name.size() + 1)));
    }
    return "no such line";
  }

  fs::path repository_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(ContainerQuarantine, OnlyTheLoopbackInterfaceExists) {
  EXPECT_EQ(inside("ls /sys/class/net"), "lo\n");
  // The headers of the routing tables, and no route.
  EXPECT_EQ(lines_of(inside("cat /proc/net/route")).size(), 1U) << inside("cat /proc/net/route");
}

TEST_P(ContainerQuarantine, OnlyTheRemoteRepositoryCanBeReached) {
  if (!require_or_skip(geteuid() == 0 ? "" : "only root can open it", Remedy::none)) return;
  const NetworkTrap repository;
  const NetworkTrap other;
  auto asked = spec("drill-2");
  asked.network_requirement =
      NetworkRequirement{.reason = "repo1 is on host localhost",
                         .endpoints = {{"localhost", repository.port()}, {"192.0.2.7", 443}}};
  asked.options = ContainerOptions{.repository_egress = true};
  EXPECT_THAT(provisioner_->probe(asked, {}), HasSubstr("network: only localhost:"));
  sandbox_ = provisioner_->create(asked, {});
  const auto call = [&](const std::string& host, int port) {
    run(*sandbox_, {sandbox_->program("pg_isready"), "--timeout=1", "--host=" + host,
                    "--port=" + std::to_string(port)});
  };
  call("localhost", other.port());
  call("127.0.0.1", other.port());
  EXPECT_FALSE(repository.called());
  call("localhost", repository.port());
  EXPECT_TRUE(repository.called(std::chrono::seconds(60)));
  EXPECT_FALSE(other.called());
  // A host given by its address only is mapped to a loopback address.
  EXPECT_THAT(inside("cat /proc/net/fib_trie"), HasSubstr("192.0.2.7"));
  EXPECT_EQ(inside("ls /sys/class/net"), "lo\n");
  EXPECT_EQ(lines_of(inside("cat /proc/net/route")).size(), 1U) << inside("cat /proc/net/route");
  asked.run_id = "drill-3";
  asked.network_requirement->unsupported = "it cannot be";
  EXPECT_THROW(provisioner_->create(asked, {}), Error);
}

// Without sandbox.egress, the backup tool runs on this host for a repository on another one.
TEST_P(ContainerQuarantine, NothingOfARemoteRepositoryIsInside) {
  const NetworkTrap repository;
  const auto file = (repository_ / "archive/file").string();
  auto asked = spec("drill-2");
  asked.readable = {repository_};
  asked.network_requirement = NetworkRequirement{.reason = "repo1 is on host localhost",
                                                 .endpoints = {{"localhost", repository.port()}}};
  setenv("PGBACKREST_REPO1_CIPHER_PASS", "secret-of-the-environment", 1);
  sandbox_ = provisioner_->create(asked, {});
  EXPECT_THAT(inside("cat " + file), Not(HasSubstr("precious")));
  EXPECT_THAT(inside("env"), Not(HasSubstr("secret-of-the-environment")));
  unsetenv("PGBACKREST_REPO1_CIPHER_PASS");
  run(*sandbox_, {sandbox_->program("pg_isready"), "--timeout=1", "--host=localhost",
                  "--port=" + std::to_string(repository.port())});
  EXPECT_FALSE(repository.called());
  EXPECT_EQ(inside("ls /sys/class/net"), "lo\n");

  // The tool reads the repository, and can write to the sandbox only.
  const auto tool = [&](const std::string& script) {
    return sandbox_->run_backup_tool({.program = "sh", .arguments = {"-c", script}}, {});
  };
  const auto copy = (sandbox_->paths().data / "copy").string();
  EXPECT_TRUE(tool("cp " + file + " " + copy).succeeded());
  EXPECT_EQ(inside("cat " + copy), "precious");
  EXPECT_NE(tool("id -u").output, "0\n");
  if (!require_or_skip(WriteConfinement::available() ? "" : "this kernel has no Landlock",
                       Remedy::none)) {
    return;
  }
  EXPECT_FALSE(tool("echo changed > " + file).succeeded());
}

TEST_P(ContainerQuarantine, RepositoryIsReadOnly) {
  const auto file = (repository_ / "archive/file").string();
  EXPECT_EQ(inside("cat " + file), "precious");
  EXPECT_THAT(inside("echo changed > " + file), HasSubstr("Read-only file system"));
  EXPECT_FALSE(succeeds("touch " + (repository_ / "new").string()));
  EXPECT_FALSE(succeeds("rm " + file));
  EXPECT_EQ(inside("cat " + file), "precious");
}

TEST_P(ContainerQuarantine, NoProcessIsOrCanBecomeRoot) {
  EXPECT_NE(inside("id -u"), "0\n");
  EXPECT_EQ(status("NoNewPrivs"), "1");
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(status(set), "0000000000000000") << set;
  }
  EXPECT_EQ(status("Seccomp"), "2") << "system calls are not filtered";
}

TEST_P(ContainerQuarantine, OnlyTheSandboxIsWritable) {
  EXPECT_TRUE(succeeds("touch " + (sandbox_->paths().data / "file").string()));
  EXPECT_TRUE(succeeds("touch /tmp/file")) << "programs expect /tmp";
  for (const auto* place : {"/file", "/usr/bin/file", "/var/file", "/etc/file", "/etc/passwd"}) {
    EXPECT_FALSE(succeeds(std::string("echo >> ") + place)) << place;
  }
  // Files in memory are limited in size and cannot be executed.
  EXPECT_THAT(inside("cat /proc/mounts"), HasSubstr(" /tmp tmpfs rw,nosuid,nodev,noexec"));
}

TEST_P(ContainerQuarantine, OtherFilesOfThisHostAreNotVisible) {
  std::ofstream(scratch_ / "secret") << "secret";
  fs::permissions(scratch_ / "secret", fs::perms(0644));
  EXPECT_FALSE(succeeds("cat " + (scratch_ / "secret").string()));
  EXPECT_EQ(inside("ls " + scratch_.string()), "repository\nstate\n");
  EXPECT_EQ(inside("ls " + (scratch_ / "state/sandboxes").string()), "drill-1\n");
  EXPECT_FALSE(succeeds("test -e /proc/" + std::to_string(getpid()) + "/cmdline"));
}

TEST_P(ContainerQuarantine, MemoryAndProcessesAreLimited) {
  const auto limits = inside(
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max "
      "/sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null");
  EXPECT_EQ(limits, "268435456\n2048\n");
  EXPECT_EQ(sandbox_->memory().count, 268435456U);
}

TEST_P(ContainerQuarantine, DiskThroughputIsLimited) {
  struct stat status {};
  ASSERT_EQ(stat(sandbox_->paths().root.c_str(), &status), 0);
  const bool limited = block_device(status.st_dev).has_value();
  if (!require_or_skip(limited ? "" : "no disk that can be limited", Remedy::none)) return;
  const auto limits = inside(
      "cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device "
      "/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device /sys/fs/cgroup/io.max 2>/dev/null");
  EXPECT_THAT(limits, testing::AnyOf(testing::MatchesRegex("([0-9]+:[0-9]+ 52428800\n){2}"),
                                     HasSubstr(" rbps=52428800 wbps=52428800 ")))
      << limits;
}

TEST_P(ContainerQuarantine, TooLittleMemoryIsNamed) {
  EXPECT_NO_THROW(sandbox_->require_sound({}));
  const auto result = run(*sandbox_, {"dd", "if=/dev/zero", "of=/dev/null", "bs=600M", "count=1"});
  EXPECT_EQ(result.signal, SIGKILL);
  try {
    sandbox_->require_sound({});
    FAIL() << "the container is reported as working";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.code(), FindingCode::env_memory);
    EXPECT_THAT(error.what(), HasSubstr("256"));
  }
}

TEST_P(ContainerQuarantine, EnvironmentContainsNoSecret) {
  setenv("PGBACKREST_REPO1_RETENTION_FULL", "3", 1);
  setenv("PGPASSWORD", "secret", 1);
  const auto environment = inside("env");
  EXPECT_THAT(environment, HasSubstr("PGBACKREST_REPO1_RETENTION_FULL=3"));
  EXPECT_THAT(environment, Not(HasSubstr("PGPASSWORD")));
  setenv("PGBACKREST_REPO1_CIPHER_PASS", "secret", 1);
  EXPECT_THROW(create("drill-2"), Error);
  for (const auto* name :
       {"PGBACKREST_REPO1_RETENTION_FULL", "PGPASSWORD", "PGBACKREST_REPO1_CIPHER_PASS"}) {
    unsetenv(name);
  }
}

INSTANTIATE_TEST_SUITE_P(Containers, ContainerQuarantine, testing::ValuesIn(container_kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pgrehearse
