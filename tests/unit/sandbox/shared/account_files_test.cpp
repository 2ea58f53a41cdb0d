#include "harness/sandbox/shared/account_files.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(AccountFiles, EachNameIsWrittenOnce) {
  const Account postgres{.name = "postgres", .uid = 101, .gid = 102};
  const Account root{.name = "root"};
  EXPECT_EQ(passwd_text({postgres, root, postgres}, "/tmp"),
            "postgres:x:101:102::/tmp:/bin/sh\nroot:x:0:0::/tmp:/bin/sh\n");
  EXPECT_EQ(group_text({postgres, postgres}), "postgres:x:102:\n");
}

}  // namespace
}  // namespace pgrehearse
