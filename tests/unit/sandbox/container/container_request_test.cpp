#include "harness/sandbox/container/container_request.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using Paths = std::vector<std::filesystem::path>;

constexpr std::string_view mountinfo =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "30 22 254:1 / /repository/archive rw - xfs /dev/b rw\n"
    "31 22 254:2 / /repository/with\\040space rw - xfs /dev/c rw\n"
    "32 22 254:3 / /repository2 rw - xfs /dev/d rw\n";

TEST(ReadablePlaces, WhatIsMountedBelowComesToo) {
  EXPECT_EQ(with_mounts_below({"/repository"}, mountinfo),
            (Paths{"/repository", "/repository/archive", "/repository/with space"}));
  EXPECT_EQ(with_mounts_below({"/repository2"}, mountinfo), Paths{"/repository2"});
}

TEST(ReadablePlaces, NothingComesTwice) {
  EXPECT_EQ(with_mounts_below({"/a/file", "/a", "/a", "/ab"}, {}), (Paths{"/a", "/ab"}));
}

TEST(AccountsInside, EachNameOnce) {
  const Account postgres{.name = "postgres", .uid = 101, .gid = 102};
  const Account root{.name = "root"};
  EXPECT_EQ(passwd_text({postgres, root, postgres}, "/tmp"),
            "postgres:x:101:102::/tmp:/bin/sh\nroot:x:0:0::/tmp:/bin/sh\n");
  EXPECT_EQ(group_text({postgres, postgres}), "postgres:x:102:\n");
}

}  // namespace
}  // namespace pgrehearse
