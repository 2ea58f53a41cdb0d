#include "harness/sandbox/vm/vm_request.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "harness/common/text.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class VmRequests : public testing::Test {
 protected:
  VmRequests() {
    std::string pattern = "/tmp/pgrehearse-vm-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    fs::create_directories(directory_ / "repository, old/archive");
    std::ofstream(directory_ / "tool.conf") << "x";
    fs::permissions(directory_ / "tool.conf", fs::perms(0640));
    spec_.readable = {directory_ / "tool.conf", directory_ / "repository, old",
                      directory_ / "repository, old/archive"};
    const Registry registry(directory_ / "state");
    sandbox_directory_.emplace(HostDirectory::claim(registry, spec_, current_account()));
  }
  ~VmRequests() override {
    sandbox_directory_->forget();
    std::error_code failure;
    fs::remove_all(directory_, failure);
  }

  [[nodiscard]] VmRequest request() const {
    return {.directory = *sandbox_directory_, .spec = spec_, .image = image_};
  }
  [[nodiscard]] std::string command(VmAccelerator accelerator = VmAccelerator::tcg) const {
    return " " + join(qemu_command(request(), accelerator), " ") + " ";
  }

  fs::path directory_;
  SandboxSpec spec_{.run_id = "drill-1",
                    .type = "vm",
                    .memory = Bytes{std::uint64_t{256} << 20U},
                    .cpus = 1,
                    .options = VmOptions{}};
  VmImage image_{.directory = "/images/15"};
  std::optional<HostDirectory> sandbox_directory_;
};

TEST_F(VmRequests, NoNetworkDeviceAndNoMonitor) {
  const auto words = command();
  EXPECT_THAT(words, HasSubstr(" -nic none "));
  EXPECT_THAT(words, HasSubstr(" -nodefaults -no-user-config -no-reboot "));
  EXPECT_THAT(words, HasSubstr(" -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                               "resourcecontrol=deny "));
  EXPECT_THAT(words, HasSubstr("node-name=image,read-only=on,"));
  EXPECT_THAT(words, Not(HasSubstr("-qmp")));
  EXPECT_THAT(words, Not(HasSubstr("-monitor")));
  EXPECT_THAT(words, Not(HasSubstr("-netdev")));
}

TEST_F(VmRequests, SharesAreReadOnlyAndCommasInPathsAreDoubled) {
  EXPECT_THAT(command(), HasSubstr("local,id=share0,path=" + directory_.string() +
                                   "/repository,, old,security_model=none,readonly=on,"));
  EXPECT_THAT(command(), Not(HasSubstr("share1")))
      << "a directory below another share is part of that share";
  EXPECT_THAT(command(), HasSubstr("name=opt/org.pgrehearse/file0,file=" +
                                   (directory_ / "tool.conf").string()));
}

// The backup tool runs on this host: the machine sees what it has written, and no key.
TEST_F(VmRequests, NothingOfARemoteRepositoryIsShared) {
  spec_.network_requirement = NetworkRequirement{.reason = "repo1 is of type s3"};
  const auto root = sandbox_directory_->paths().root.string();
  EXPECT_THAT(command(), Not(HasSubstr("repository,, old")));
  EXPECT_THAT(command(), Not(HasSubstr("tool.conf")));
  EXPECT_THAT(command(),
              HasSubstr("id=share0,path=" + root + "/data,security_model=none,readonly=on,"));
  EXPECT_THAT(command(), HasSubstr("id=share2,"));
  EXPECT_THAT(command(), Not(HasSubstr("id=share3,")));
  EXPECT_THAT(vm_settings(request()), Contains(Pair("at", root + "/outside/data")));
}

TEST_F(VmRequests, MemoryAndCpusAreThoseRequested) {
  EXPECT_THAT(command(), HasSubstr(" -smp 1 -m 384 "));
  EXPECT_THAT(command(), HasSubstr(" -accel tcg,thread=multi -cpu max "));
  EXPECT_THAT(command(VmAccelerator::kvm), HasSubstr(" -accel kvm -cpu host "));
}

TEST_F(VmRequests, IoLimitAppliesToDiskAndShares) {
  EXPECT_THAT(command(), Not(HasSubstr("throttl")));
  spec_.options = VmOptions{.io_bandwidth = Bytes{50'000'000}};
  const auto words = command();
  EXPECT_THAT(words, HasSubstr("x-bps-read=50000000,x-bps-write=50000000 "));
  EXPECT_THAT(words, HasSubstr("driver=throttle,node-name=disk,throttle-group=limit,"));
  EXPECT_THAT(words, HasSubstr(",throttling.bps-read=50000000 "));
}

TEST_F(VmRequests, SettingsHaveDirectoriesAndAccount) {
  const auto settings = vm_settings(request());
  const auto root = sandbox_directory_->paths().root.string();
  EXPECT_THAT(settings, Contains(Pair("root", root)));
  EXPECT_THAT(settings, Contains(Pair("directory", root + "/data")));
  EXPECT_THAT(settings, Contains(Pair("directory", root + "/pgbackrest/lock")));
  EXPECT_THAT(settings, Contains(Pair("uid", std::to_string(current_account().uid))));
  EXPECT_THAT(settings, Contains(Pair("at", (directory_ / "repository, old").string())));
  EXPECT_THAT(settings, Contains(Pair("at", (directory_ / "tool.conf").string())));
  EXPECT_THAT(settings, Contains(Pair("mode", "640")));
}

TEST_F(VmRequests, DiskSizeFollowsTheBackupUnlessSet) {
  spec_.needed = Bytes{std::uint64_t{10} << 30U};
  EXPECT_EQ(vm_disk_size(spec_).count, std::uint64_t{24} << 30U);
  spec_.options = VmOptions{.disk = Bytes{std::uint64_t{1} << 30U}};
  EXPECT_EQ(vm_disk_size(spec_).count, std::uint64_t{1} << 30U);
}

TEST(VmInitrd, ContainsTheFirstProcess) {
  const auto archive = vm_initrd("program");
  EXPECT_EQ(archive.size() % 4, 0U);
  EXPECT_THAT(archive, HasSubstr(std::string("init\0", 5)));
  EXPECT_THAT(archive, HasSubstr("000081ED")) << "an executable file";
  EXPECT_THAT(archive, HasSubstr("program"));
  EXPECT_THAT(archive, HasSubstr("TRAILER!!!"));
}

}  // namespace
}  // namespace pgrehearse
