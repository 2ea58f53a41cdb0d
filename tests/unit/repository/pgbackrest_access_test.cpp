#include "harness/repository/pgbackrest_access.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using Paths = std::vector<std::filesystem::path>;

RepositoryAccess access(const std::string& text, std::optional<int> key = {},
                        const std::map<std::string, std::string>& variables = {}) {
  return parse_pgbackrest_access({text}, variables, {.stanza = "orders", .key = key});
}

TEST(PgBackRestAccess, TheDefaultPath) {
  EXPECT_EQ(access("").places, Paths{"/var/lib/pgbackrest"});
  EXPECT_EQ(access("[global]\nrepo1-cipher-type=none\n").places, Paths{"/var/lib/pgbackrest"});
  EXPECT_EQ(access("").remote, "");
}

TEST(PgBackRestAccess, TheStanzaWinsAndOtherStanzasDoNotCount) {
  const auto text =
      "[global]\n# repo1-path=/comment\nrepo1-path = /global\n[orders]\nrepo1-path=/orders\n"
      "[other]\nrepo1-path=/other\nrepo1-host=elsewhere\n";
  EXPECT_EQ(access(text).places, Paths{"/orders"});
  EXPECT_EQ(access(text).remote, "");
}

TEST(PgBackRestAccess, EachRepositoryOrTheOneThatIsNamed) {
  const std::string text = "[global]\nrepo1-path=/one\nrepo2-path=/two\n";
  EXPECT_EQ(access(text).places, (Paths{"/one", "/two"}));
  EXPECT_EQ(access(text, 2).places, Paths{"/two"});
}

TEST(PgBackRestAccess, ARepositoryElsewhereIsNamed) {
  EXPECT_EQ(access("[global]\nrepo1-type=s3\nrepo1-path=/r\n").remote, "repo1 is of type s3");
  EXPECT_EQ(access("[global]\nrepo1-host=backup1\n").remote, "repo1 is on host backup1");
  EXPECT_EQ(access("[global]\nrepo1-host=backup1\n").places, Paths{});
}

TEST(PgBackRestAccess, TheEnvironmentWins) {
  EXPECT_EQ(
      access("[orders]\nrepo1-path=/orders\n", {}, {{"PGBACKREST_REPO1_PATH", "/there"}}).places,
      Paths{"/there"});
}

TEST(PgBackRestAccess, AStatedConfigurationStandsAlone) {
  EXPECT_EQ(pgbackrest_configuration_files("/nonexistent/file.conf", {}, "/nonexistent"), Paths{});
  EXPECT_EQ(pgbackrest_configuration_files("/dev/null", {}, "/nonexistent"), Paths{"/dev/null"});
  EXPECT_EQ(
      pgbackrest_configuration_files({}, {{"PGBACKREST_CONFIG", "/dev/null"}}, "/nonexistent"),
      Paths{"/dev/null"});
}

}  // namespace
}  // namespace pgrehearse
