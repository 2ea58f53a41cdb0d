#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/map/build_map.hpp"
#include "tests/fakes/scripted_server.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ArchiveLagTest : public testing::Test {
 protected:
  ArchiveLagTest() {
    MapBranch branch{.timeline = 1, .archive_end = Lsn{0x4000000}};
    branch.windows.push_back(
        {.end = {.lsn = Lsn{0x4000000}, .time = parse_instant("2026-11-20 02:00:00+00")}});
    map.archives.push_back({.system_identifier = 7});
    map.archives.front().branches.push_back(std::move(branch));
    server.on("system_identifier", ScriptedServer::row({"7", "f", "1"}));
    server.on("pg_stat_archiver", ScriptedServer::row({"0/4000100",
                                                       "1",
                                                       "000000010000000000000003",
                                                       "2026-11-20 02:00:01+00",
                                                       {},
                                                       {},
                                                       "2",
                                                       "0",
                                                       "f",
                                                       "on",
                                                       "2026-11-20 03:00:00+00"}));
    server.on("pg_ls_archive_statusdir", ScriptedServer::row({"0", {}, {}}));
    server.on("track_commit_timestamp", ScriptedServer::row({"on"}));
  }

  void measure(const std::string& newest_commit) {
    server.on("pg_last_committed_xact", ScriptedServer::row({newest_commit}));
    measure_lag(map, primary, {});
    ASSERT_TRUE(map.lag);
  }

  ScriptedServer server;
  Primary primary{"host=/nowhere dbname=postgres"};
  RecoveryMap map;
};

TEST_F(ArchiveLagTest, IsTheTimeBetweenTheNewestCommits) {
  measure("2026-11-20 02:10:00+00");
  EXPECT_EQ(map.lag->seconds, 600.0);
  EXPECT_TRUE(map.unknown.empty());
}

TEST_F(ArchiveLagTest, IsUnknownWhenTheClockOfThePrimaryWasSetBack) {
  measure("2026-11-20 01:00:00+00");
  EXPECT_EQ(map.lag->seconds, std::nullopt);
  EXPECT_THAT(map.unknown, ElementsAre(HasSubstr("a clock was set back")));
}

}  // namespace
}  // namespace pgrehearse
