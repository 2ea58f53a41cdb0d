#include "harness/repository/pgbackrest/pgbackrest_access.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using Paths = std::vector<std::filesystem::path>;

RepositoryAccess access(const std::string& text, std::optional<int> key = {},
                        const std::map<std::string, std::string>& variables = {}) {
  return parse_pgbackrest_access({text}, variables, {.stanza = "orders", .key = key});
}

TEST(PgBackRestAccess, TheDefaultPath) {
  EXPECT_EQ(access("").paths, Paths{"/var/lib/pgbackrest"});
  EXPECT_EQ(access("[global]\nrepo1-cipher-type=none\n").paths, Paths{"/var/lib/pgbackrest"});
  EXPECT_EQ(access("").remote, "");
}

TEST(PgBackRestAccess, StanzaOptionsTakePrecedenceAndOtherStanzasAreIgnored) {
  const auto text =
      "[global]\n# repo1-path=/comment\nrepo1-path = /global\n[orders]\nrepo1-path=/orders\n"
      "[other]\nrepo1-path=/other\nrepo1-host=elsewhere\n";
  EXPECT_EQ(access(text).paths, Paths{"/orders"});
  EXPECT_EQ(access(text).remote, "");
}

TEST(PgBackRestAccess, EveryRepositoryOrOnlyTheSelectedOne) {
  const std::string text = "[global]\nrepo1-path=/one\nrepo2-path=/two\n";
  EXPECT_EQ(access(text).paths, (Paths{"/one", "/two"}));
  EXPECT_EQ(access(text, 2).paths, Paths{"/two"});
}

TEST(PgBackRestAccess, RepositoryThatIsNotLocalIsNamed) {
  EXPECT_EQ(access("[global]\nrepo1-type=s3\nrepo1-path=/r\n").remote, "repo1 is of type s3");
  EXPECT_EQ(access("[global]\nrepo1-host=backup1\n").remote, "repo1 is on host backup1");
  EXPECT_EQ(access("[global]\nrepo1-host=backup1\n").paths, Paths{});
}

std::string endpoints(const RepositoryAccess& access) {
  std::string text;
  for (const auto& [host, port] : access.endpoints) {
    text += host + ":" + std::to_string(port) + " ";
  }
  return text;
}

TEST(PgBackRestAccess, ObjectStoreIsReachedByItsBucketName) {
  const std::string s3 = "[global]\nrepo1-type=s3\nrepo1-s3-bucket=b\nrepo1-s3-endpoint=s3.example";
  EXPECT_EQ(endpoints(access(s3)), "b.s3.example:443 ");
  EXPECT_EQ(endpoints(access(s3 + ":9000\nrepo1-s3-uri-style=path\n")), "s3.example:9000 ");
  const auto elsewhere =
      access(s3 + "\nrepo1-storage-host=https://minio:9000\nrepo1-storage-ca-file=/ca.crt\n");
  EXPECT_EQ(endpoints(elsewhere), "minio:9000 ");
  EXPECT_EQ(elsewhere.paths, Paths{"/ca.crt"});
  EXPECT_EQ(endpoints(access(s3 + "\nrepo1-s3-host=old\nrepo1-storage-port=7\n")), "old:7 ");
  EXPECT_EQ(endpoints(access("[global]\nrepo1-type=azure\nrepo1-azure-account=me\n")),
            "me.blob.core.windows.net:443 ");
  EXPECT_EQ(access(s3).obstacle, "");
}

TEST(PgBackRestAccess, ARepositoryHostIsReachedByTls) {
  const auto tls = access(
      "[global]\nrepo1-host=backup1\nrepo1-host-type=tls\nrepo1-host-ca-file=/ca\n"
      "repo1-host-cert-file=/cert\nrepo1-host-key-file=/key\n");
  EXPECT_EQ(endpoints(tls), "backup1:8432 ");
  EXPECT_EQ(tls.paths, (Paths{"/ca", "/cert", "/key"}));
  EXPECT_EQ(tls.obstacle, "");
  EXPECT_EQ(endpoints(access("[global]\nrepo1-host=b\nrepo1-host-type=tls\nrepo1-host-port=1\n")),
            "b:1 ");
}

TEST(PgBackRestAccess, RepositoryUnreachableFromAContainerIsReported) {
  for (const auto* text :
       {"[global]\nrepo1-host=backup1\n", "[global]\nrepo1-type=gcs\n",
        "[global]\nrepo1-type=s3\nrepo1-s3-key-type=auto\n", "[global]\nrepo1-type=sftp\n"}) {
    EXPECT_NE(access(text).obstacle, "") << text;
    EXPECT_EQ(endpoints(access(text)), "") << text;
  }
}

TEST(PgBackRestAccess, EnvironmentTakesPrecedence) {
  EXPECT_EQ(
      access("[orders]\nrepo1-path=/orders\n", {}, {{"PGBACKREST_REPO1_PATH", "/there"}}).paths,
      Paths{"/there"});
}

TEST(PgBackRestAccess, ConfiguredFileReplacesTheDefaults) {
  EXPECT_EQ(pgbackrest_configuration_files("/nonexistent/file.conf", {}, "/nonexistent"), Paths{});
  EXPECT_EQ(pgbackrest_configuration_files("/dev/null", {}, "/nonexistent"), Paths{"/dev/null"});
  EXPECT_EQ(
      pgbackrest_configuration_files({}, {{"PGBACKREST_CONFIG", "/dev/null"}}, "/nonexistent"),
      Paths{"/dev/null"});
}

}  // namespace
}  // namespace pgrehearse
