#include "checks/parsers/server_configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Texts = std::map<std::string, std::string>;

// Files by path; a directory is whatever a path below it makes one.
ServerConfiguration read(const Texts& texts) {
  const ConfigurationFiles files{
      .read = [&](const std::filesystem::path& file) -> std::optional<std::string> {
        const auto found = texts.find(file.string());
        if (found == texts.end()) return {};
        return found->second;
      },
      .list = [&](const std::filesystem::path& directory)
          -> std::optional<std::vector<std::filesystem::path>> {
        std::vector<std::filesystem::path> listed;
        for (const auto& [name, text] : texts) {
          if (std::filesystem::path(name).parent_path() == directory) listed.emplace_back(name);
        }
        if (listed.empty()) return {};
        return listed;
      }};
  return read_configuration(files, "/data", "/kept/restored.auto.conf");
}

TEST(ServerConfigurationTest, ReadsPostgresqlsSyntax) {
  const auto configuration = read({{"/data/postgresql.conf",
                                    "# comment\n"
                                    "Work_Mem = 4MB  # with a reason\n"
                                    "port 5433\n"
                                    "app.motto='it''s \\'fine\\' # really'\n"
                                    "log_line_prefix = ''\n"}});
  EXPECT_TRUE(configuration.complete);
  EXPECT_EQ(configuration.values.at("work_mem").value, "4MB");
  EXPECT_EQ(configuration.values.at("work_mem").origin, "postgresql.conf:2");
  EXPECT_EQ(configuration.values.at("port").value, "5433");
  EXPECT_EQ(configuration.values.at("app.motto").value, "it's 'fine' # really");
  EXPECT_EQ(configuration.values.at("log_line_prefix").value, "");
}

TEST(ServerConfigurationTest, TheLastValueAppliesAndTheAutomaticFileOverridesAll) {
  const auto configuration = read({{"/data/postgresql.conf", "a = 1\na = 2\nb = 1\n"},
                                   {"/kept/restored.auto.conf", "b = '3'\n"}});
  EXPECT_EQ(configuration.values.at("a").value, "2");
  EXPECT_EQ(configuration.values.at("b").value, "3");
  EXPECT_EQ(configuration.values.at("b").origin, "restored.auto.conf:1");
}

TEST(ServerConfigurationTest, NamesLinesThatTheServerRefuses) {
  const auto configuration =
      read({{"/data/postgresql.conf", "a = 1\n= 5\nb\nc = 'open\nd = 1 2\n"}});
  EXPECT_THAT(configuration.unreadable, ElementsAre("postgresql.conf:2", "postgresql.conf:3",
                                                    "postgresql.conf:4", "postgresql.conf:5"));
  EXPECT_FALSE(configuration.complete);
}

TEST(ServerConfigurationTest, FollowsIncludesInPlace) {
  const auto configuration = read({{"/data/postgresql.conf",
                                    "a = 1\ninclude 'sub/more.conf'\nb = 1\n"
                                    "include_dir 'conf.d'\ninclude_if_exists 'none.conf'\n"},
                                   {"/data/sub/more.conf", "a = 2\nb = 2\ninclude 'next.conf'\n"},
                                   {"/data/sub/next.conf", "c = 3\n"},
                                   {"/data/conf.d/1.conf", "d = 1\n"},
                                   {"/data/conf.d/2.conf", "d = 2\n"}});
  EXPECT_TRUE(configuration.complete);
  EXPECT_EQ(configuration.values.at("a").origin, "sub/more.conf:1");
  EXPECT_EQ(configuration.values.at("b").value, "1");
  EXPECT_EQ(configuration.values.at("c").origin, "sub/next.conf:1");
  EXPECT_EQ(configuration.values.at("d").value, "2");
}

TEST(ServerConfigurationTest, MissingIncludesAreNamed) {
  const auto configuration =
      read({{"/data/postgresql.conf",
             "include 'gone.conf'\ninclude_dir 'gone.d'\ninclude '/etc/postgresql/x.conf'\n"
             "include_dir '../elsewhere'\n"}});
  EXPECT_FALSE(configuration.complete);
  EXPECT_THAT(configuration.missing, ElementsAre("postgresql.conf:1 (include 'gone.conf')",
                                                 "postgresql.conf:2 (include_dir 'gone.d')"));
  EXPECT_THAT(configuration.outside,
              ElementsAre("postgresql.conf:3 (include '/etc/postgresql/x.conf')",
                          "postgresql.conf:4 (include_dir '../elsewhere')"));
}

TEST(ServerConfigurationTest, AFileThatIncludesItselfEnds) {
  const auto configuration =
      read({{"/data/postgresql.conf", "include 'postgresql.conf'\na = 1\n"}});
  EXPECT_EQ(configuration.values.at("a").value, "1");
  EXPECT_FALSE(configuration.complete);
}

TEST(ServerConfigurationTest, WithoutPostgresqlConfItIsNotComplete) {
  const auto configuration = read({{"/kept/restored.auto.conf", "a = 1\n"}});
  EXPECT_FALSE(configuration.complete);
  EXPECT_THAT(configuration.missing, IsEmpty());
  EXPECT_EQ(configuration.values.at("a").value, "1");
}

}  // namespace
}  // namespace pgrehearse
