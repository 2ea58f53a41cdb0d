// The isolation of a virtual machine, tested from inside. Each expectation fails if one of its
// restrictions is removed (harness/sandbox/vm/vm_request.cpp, harness/agent). The tests share one
// machine because starting it is slow.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/sandbox/vm/vm_provisioner.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class VmQuarantine : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (virtual_machine_for_tests().address.empty()) return;
    std::string pattern = "/var/tmp/pgrehearse-walls-XXXXXX";
    scratch = mkdtemp(pattern.data());
    fs::permissions(scratch, fs::perms(0755));
    // Writable for everybody: only the read-only share prevents the copy from writing.
    fs::create_directories(scratch / "repository, old/archive");
    std::ofstream(scratch / "repository, old/archive/file") << "precious";
    fs::permissions(scratch / "repository, old", fs::perms(0777));
    fs::permissions(scratch / "repository, old/archive", fs::perms(0777));
    fs::permissions(scratch / "repository, old/archive/file", fs::perms(0666));
    std::ofstream(scratch / "tool.conf") << "[global]\n";
    fs::permissions(scratch / "tool.conf", fs::perms(0644));
    provisioner = std::make_unique<VmProvisioner>(runner, scratch / "state");
    sandbox = provisioner->create(
        {.run_id = "walls",
         .scenario = "contract",
         .type = "vm",
         .memory = Bytes{std::uint64_t{128} << 20U},
         .cpus = 1,
         .postgres_major = installed_majors().back(),
         .readable = {scratch / "repository, old", scratch / "tool.conf"},
         .options = VmOptions{.image = virtual_machine_for_tests().address,
                              .io_bandwidth = Bytes{std::uint64_t{500} << 20U}}},
        {});
  }
  static void TearDownTestSuite() {
    sandbox.reset();
    provisioner.reset();
    std::error_code failure;
    if (!scratch.empty()) fs::remove_all(scratch, failure);
  }
  void SetUp() override {
    if (sandbox) return;
    const auto machine = virtual_machine_for_tests();
    if (!require_or_skip(machine.impossible, Remedy::none)) return;
    if (!require_or_skip(machine.missing)) return;
  }

  static CommandResult run(const std::string& script) {
    return sandbox->run({.program = "sh", .arguments = {"-c", script}}, {});
  }
  static std::string inside(const std::string& script) {
    const auto result = run(script);
    return result.output + result.error_output;
  }
  static bool succeeds(const std::string& script) { return run(script).succeeded(); }
  static std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

  static inline BoostCommandRunner runner;
  static inline fs::path scratch;
  static inline std::unique_ptr<VmProvisioner> provisioner;
  static inline std::unique_ptr<Sandbox> sandbox;
};

TEST_F(VmQuarantine, OnlyTheLoopbackInterfaceExists) {
  EXPECT_EQ(inside("ls /sys/class/net"), "lo\n");
  // The header of the routing table, and no route.
  EXPECT_EQ(lines_of(inside("cat /proc/net/route")).size(), 1U) << inside("cat /proc/net/route");
}

TEST_F(VmQuarantine, RepositoryIsReadOnly) {
  const auto repository = scratch / "repository, old";
  const auto file = quoted(repository / "archive/file");
  EXPECT_EQ(inside("cat " + file), "precious");
  EXPECT_THAT(inside("echo changed > " + file), HasSubstr("Read-only file system"));
  EXPECT_FALSE(succeeds("touch " + quoted(repository / "new")));
  EXPECT_FALSE(succeeds("rm " + file));
  EXPECT_EQ(inside("cat " + file), "precious");
  EXPECT_EQ(inside("cat " + quoted(scratch / "tool.conf")), "[global]\n");
  // A file added while the machine runs is visible too.
  std::ofstream(repository / "archive/next") << "new";
  fs::permissions(repository / "archive/next", fs::perms(0644));
  EXPECT_EQ(inside("cat " + quoted(repository / "archive/next")), "new");
}

TEST_F(VmQuarantine, NoProcessIsOrCanBecomeRoot) {
  EXPECT_NE(inside("id -u"), "0\n");
  const auto status = inside("cat /proc/self/status");
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000\n"));
  }
  EXPECT_FALSE(succeeds("kill -9 1"));
  EXPECT_FALSE(succeeds("head -c 1 /dev/vdb"));
  EXPECT_FALSE(succeeds("for port in /dev/vport*; do head -c 0 $port || exit 1; done"));
  EXPECT_FALSE(succeeds("cat /sys/firmware/qemu_fw_cfg/by_name/opt/org.pgrehearse/settings/raw"));
}

TEST_F(VmQuarantine, OnlyTheSandboxIsWritable) {
  EXPECT_TRUE(succeeds("touch " + (sandbox->paths().data / "file").string()));
  EXPECT_TRUE(succeeds("touch /tmp/file")) << "programs expect /tmp";
  for (const auto* place : {"/file", "/usr/bin/file", "/var/file", "/etc/file", "/etc/passwd"}) {
    EXPECT_FALSE(succeeds(std::string("echo >> ") + place)) << place;
  }
  // Not even by its own root, and nothing that was left in memory when the machine was made.
  EXPECT_THAT(inside("cat /proc/mounts"), HasSubstr("overlay / overlay ro,nosuid,nodev,"));
  // Files in memory are limited in size and cannot be executed.
  EXPECT_THAT(inside("cat /proc/mounts"), HasSubstr(" /tmp tmpfs rw,nosuid,nodev,noexec"));
}

TEST_F(VmQuarantine, OtherFilesOfThisHostAreNotVisible) {
  std::ofstream(scratch / "secret") << "secret";
  fs::permissions(scratch / "secret", fs::perms(0644));
  EXPECT_FALSE(succeeds("cat " + quoted(scratch / "secret")));
  EXPECT_EQ(inside("ls " + quoted(scratch)), "repository, old\nstate\ntool.conf\n");
  EXPECT_FALSE(fs::exists(sandbox->paths().data)) << "it is on the machine's disk";
}

TEST_F(VmQuarantine, QemuDoesNotRunAsRoot) {
  const auto processes =
      runner.run({.program = "ps", .arguments = {"-eo", "user:32,pid,args"}}, {});
  const std::string root = sandbox->paths().root.string();
  int found = 0;
  for (const auto line : lines_of(processes.output)) {
    if (line.find("qemu-system") == std::string_view::npos) continue;
    if (line.find(root) == std::string_view::npos) continue;
    ++found;
    EXPECT_TRUE(line.starts_with(sandbox->spec().account + " ")) << line;
    std::istringstream words{std::string(line)};
    std::string user;
    std::string pid;
    words >> user >> pid;
    std::ifstream file("/proc/" + pid + "/status");
    const std::string status{std::istreambuf_iterator<char>(file), {}};
    // A confined process cannot change its account; QEMU filters its own system calls.
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
    if (line.find("/agent supervise") == std::string_view::npos) {
      EXPECT_THAT(status, HasSubstr("Seccomp:\t2\n"));
    }
    EXPECT_THAT(std::string(line), HasSubstr(" -fsdev local,id=share0,"));
    EXPECT_THAT(std::string(line), HasSubstr(",readonly=on,"));
    EXPECT_THAT(std::string(line), HasSubstr(" -sandbox on,"));
    EXPECT_THAT(std::string(line), HasSubstr(" -nic none"));
  }
  EXPECT_GT(found, 0);
}

// Must be the last test: it leaves the machine unusable.
TEST_F(VmQuarantine, TooLittleMemoryIsNamed) {
  EXPECT_NO_THROW(sandbox->require_sound({}));
  // Reads a line that never ends.
  EXPECT_EQ(run("exec tail /dev/zero").signal, SIGKILL);
  try {
    sandbox->require_sound({});
    FAIL() << "the machine is reported as working";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.code(), FindingCode::env_memory);
    EXPECT_THAT(error.what(), HasSubstr("128"));
  }
}

}  // namespace
}  // namespace pgrehearse
