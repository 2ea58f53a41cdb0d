#include "harness/repository/pgbackrest/configured_repositories.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* configuration =
    "# of production\n[global]\nrepo1-path=/backup/one\nrepo1-cipher-type=aes-256-cbc\n"
    "repo1-cipher-pass=secret\nrepo1-retention-full=2\nrepo2-type=s3\nrepo2-s3-key=key\n"
    "process-max=4\nspool-path=/var/spool/pgbackrest\n\n[shop]\npg1-path=/data\npg1-host=db1\n"
    "link-all=y\n";

TEST(ConfiguredRepositories, LocalAndRemoteRepositories) {
  const auto all = parse_configured_repositories({configuration}, {}, "shop");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].path, "/backup/one");
  EXPECT_TRUE(all[0].remote.empty());
  EXPECT_EQ(all[0].passphrase, "secret");
  EXPECT_EQ(all[1].remote, "repo2 is of type s3");
}

TEST(ConfiguredRepositories, EnvironmentTakesPrecedence) {
  const auto all = parse_configured_repositories(
      {configuration}, {{"PGBACKREST_REPO1_CIPHER_PASS", "another"}}, "shop");
  EXPECT_EQ(all.front().passphrase, "another");
}

TEST(ConfiguredRepositories, DefaultPathWithoutConfiguration) {
  const auto all = parse_configured_repositories({}, {}, "shop");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().path, "/var/lib/pgbackrest");
  EXPECT_TRUE(all.front().cipher_type.empty());
}

TEST(ConfiguredRepositories, ConfigurationOfACopyDoesNotNameTheOriginal) {
  const auto all = parse_configured_repositories({configuration}, {}, "shop");
  const auto text = configuration_of_copy(all.front(), "/place/copy", "/place/own");
  EXPECT_THAT(text, HasSubstr("repo1-path=/place/copy\n"));
  EXPECT_THAT(text, HasSubstr("repo1-cipher-pass=secret\n"));
  EXPECT_THAT(text, HasSubstr("spool-path=/place/own/spool\n"));
  EXPECT_THAT(text, HasSubstr("process-max=4\n[shop]\npg1-path=/data\nlink-all=y\n"));
  for (const auto* word : {"/backup/one", "repo2", "db1", "/var/spool", "retention"}) {
    EXPECT_THAT(text, Not(HasSubstr(word)));
  }
}

}  // namespace
}  // namespace pgrehearse
