#include "harness/sandbox/vm/vm_host.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

class VmHost : public testing::Test {
 protected:
  VmHost() {
    std::string pattern = "/tmp/pgrehearse-kvm-XXXXXX";
    close(mkstemp(pattern.data()));
    device_ = pattern;
  }
  ~VmHost() override { unlink(device_.c_str()); }

  std::string device_;
};

TEST_F(VmHost, AMissingDeviceIsNamed) {
  EXPECT_THAT(kvm_obstacle(current_account(), "/nonexistent/kvm"),
              testing::HasSubstr("/nonexistent/kvm"));
}

TEST_F(VmHost, ReadAndWritePermissionIsEnough) {
  chmod(device_.c_str(), 0600);
  EXPECT_EQ(kvm_obstacle(current_account(), device_.c_str()), "");
}

TEST_F(VmHost, AnotherAccountNeedsItsGroupOrAnOpenDevice) {
  const bool root = geteuid() == 0;
  if (!require_or_skip(root ? "" : "only root asks for another account", Remedy::none)) return;
  const Account other{.name = "other", .uid = 4711, .gid = 4711, .groups = {4711}, .home = "/"};
  chmod(device_.c_str(), 0600);
  EXPECT_THAT(kvm_obstacle(other, device_.c_str()),
              testing::HasSubstr("'other' has no permission to use"));
  chmod(device_.c_str(), 0666);
  EXPECT_EQ(kvm_obstacle(other, device_.c_str()), "");
  ASSERT_EQ(chown(device_.c_str(), 0, 4712), 0);
  chmod(device_.c_str(), 0660);
  EXPECT_EQ(kvm_obstacle(other, device_.c_str()), "") << "root may give it the group";
  EXPECT_EQ(with_kvm_group(other, device_.c_str()).groups, (std::vector<gid_t>{4711, 4712}));
  ASSERT_EQ(chown(device_.c_str(), 0, 0), 0);
  EXPECT_EQ(with_kvm_group(other, device_.c_str()).groups, (std::vector<gid_t>{4711}))
      << "never root's group";
}

}  // namespace
}  // namespace pgrehearse
