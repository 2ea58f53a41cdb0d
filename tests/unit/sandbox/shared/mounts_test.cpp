#include "harness/sandbox/shared/mounts.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using Paths = std::vector<std::filesystem::path>;

constexpr std::string_view mountinfo =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "30 22 254:1 / /repository/archive rw - xfs /dev/b rw\n"
    "31 22 254:2 / /repository/with\\040space rw - xfs /dev/c rw\n"
    "32 22 254:3 / /repository2 rw - xfs /dev/d rw\n";

TEST(Mounts, FileSystemsBelowAPathAreIncluded) {
  EXPECT_EQ(with_mounts_below({"/repository"}, mountinfo),
            (Paths{"/repository", "/repository/archive", "/repository/with space"}));
  EXPECT_EQ(with_mounts_below({"/repository2"}, mountinfo), Paths{"/repository2"});
}

TEST(Mounts, NoPathIsIncludedTwice) {
  EXPECT_EQ(with_mounts_below({"/a/file", "/a", "/a", "/ab"}, {}), (Paths{"/a", "/ab"}));
}

}  // namespace
}  // namespace pgrehearse
