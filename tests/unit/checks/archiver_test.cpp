#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/checks.hpp"
#include "tests/fakes/check_bench.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_server.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// pg_stat_archiver at 03:00.
struct Reported {
  std::string lsn = "0/4000100";
  std::string archived = "000000010000000000000003";
  std::string archived_at = "2026-11-20 02:59:50+00";
  Field failed = {};
  Field failed_at = {};
  std::string archived_count = "2";
  std::string in_recovery = "f";
  std::string archive_mode = "on";
};

class ArchiverTest : public testing::Test {
 protected:
  ArchiverTest() {
    bench.repository = std::make_unique<FakeRepository>(calls);
    bench.backup = repository().backups.front();
    bench.archive = repository().list_archive(bench.backup, FakeRepository::segment_bytes, {});
    bench.primary = &primary;
    report({});
    server.on("pg_ls_archive_statusdir",
              ScriptedServer::Failure{.sqlstate = "42501", .message = "permission denied"});
  }

  FakeRepository& repository() { return dynamic_cast<FakeRepository&>(*bench.repository); }
  static Rows row(const Reported& reported) {
    return ScriptedServer::row({reported.lsn, "1", reported.archived, reported.archived_at,
                                reported.failed, reported.failed_at, reported.archived_count, "3",
                                reported.in_recovery, reported.archive_mode,
                                "2026-11-20 03:00:00+00"});
  }
  void report(const Reported& reported) { server.on("pg_stat_archiver", row(reported)); }
  void wait(const std::string& count, const std::string& seconds) {
    server.on("pg_ls_archive_statusdir",
              ScriptedServer::row({count, "000000010000000000000004", seconds}));
  }
  CheckOutcome run() { return bench.run(archiver_check()); }

  CallRecord calls;
  ScriptedServer server;
  Primary primary{"host=/nowhere dbname=postgres"};
  CheckBench bench;
};

TEST_F(ArchiverTest, PassesWhenWhatIsReportedIsStored) {
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_TRUE(outcome.findings.empty());
}

TEST_F(ArchiverTest, NamesSegmentsThatAreReportedAsArchivedAndNotStored) {
  report({.archived = "000000010000000000000005"});
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-ARCHIVE-NOT-STORED 000000010000000000000004"));
  EXPECT_THAT(outcome.findings[0].message,
              HasSubstr("000000010000000000000004, 000000010000000000000005"));
}

TEST_F(ArchiverTest, ASegmentThatArrivedSinceTheListingIsStored) {
  repository().archive_segment({.timeline = 1, .number = 4});
  report({.archived = "000000010000000000000004"});
  EXPECT_EQ(run().verdict, Verdict::pass);
}

TEST_F(ArchiverTest, FailsWhenTheLastAttemptFailedAndIsNotRepeatedWithSuccess) {
  report({.failed = "000000010000000000000004", .failed_at = "2026-11-20 02:59:55+00"});
  EXPECT_THAT(codes_and_objects(run()),
              ElementsAre("PGR-ARCHIVE-FAILING 000000010000000000000004"));
}

TEST_F(ArchiverTest, AFailureThatIsFollowedByASuccessIsNotReported) {
  const Reported failing{.failed = "000000010000000000000004",
                         .failed_at = "2026-11-20 02:59:55+00"};
  auto repaired = failing;
  repaired.archived_count = "3";
  server.on("pg_stat_archiver", {row(failing), row(repaired)});
  EXPECT_EQ(run().verdict, Verdict::pass);
}

TEST_F(ArchiverTest, AnOldFailureThatIsNotRepeatedIsNotReported) {
  report({.archived_at = "2026-11-19 03:00:00+00",
          .failed = "000000010000000000000004",
          .failed_at = "2026-11-20 02:00:00+00"});
  EXPECT_EQ(run().verdict, Verdict::pass);
}

TEST_F(ArchiverTest, SegmentsThatWaitForMinutesAreLag) {
  wait("1", "30.5");
  EXPECT_EQ(run().verdict, Verdict::pass);
  wait("7", "1800");
  EXPECT_THAT(codes_and_objects(run()), ElementsAre("PGR-ARCHIVE-LAG 000000010000000000000004"));
  bench.scenario.objectives.rpo = std::chrono::hours(1);
  EXPECT_EQ(run().verdict, Verdict::pass);
}

TEST_F(ArchiverTest, WithoutPermissionOnlyWalAfterALongSilenceIsLag) {
  // Idle since yesterday, in the next segment.
  report({.archived_at = "2026-11-19 03:00:00+00"});
  EXPECT_EQ(run().verdict, Verdict::pass);
  report({.lsn = "0/8000100"});
  EXPECT_EQ(run().verdict, Verdict::pass);
  report({.lsn = "0/8000100", .archived_at = "2026-11-19 03:00:00+00"});
  EXPECT_THAT(codes_and_objects(run()), ElementsAre("PGR-ARCHIVE-LAG 000000010000000000000003"));
}

TEST_F(ArchiverTest, AStandbyAndAPrimaryWithoutArchiverSayNothing) {
  report({.archived = "000000010000000000000009", .in_recovery = "t"});
  EXPECT_EQ(run().verdict, Verdict::skipped);
  report({.archived = "", .archive_mode = "off"});
  EXPECT_EQ(run().verdict, Verdict::skipped);
}

TEST_F(ArchiverTest, AnUnreachablePrimaryIsUnknown) {
  server.refuse("connection refused");
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_EQ(outcome.findings.at(0).code, FindingCode::primary_unreachable);
}

}  // namespace
}  // namespace pgrehearse
