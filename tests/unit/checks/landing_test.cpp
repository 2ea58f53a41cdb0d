#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class LandingCheck : public testing::Test {
 protected:
  LandingCheck() {
    bench.archive.segment_size = 16U << 20U;
    bench.landing = Landing{.asked = "the target",
                            .lsn = Lsn{0x5000100},
                            .timeline = 1,
                            .proved = true,
                            .proof = "paused at 0/5000100"};
    bench.backup.start_segment = "000000010000000000000003";
    bench.backup.stop_segment = "000000010000000000000003";
    bench.backup.stop_lsn = Lsn{0x3000100};
  }

  static Instant at(int second) { return Instant{std::chrono::seconds(1'700'000'000 + second)}; }
  static TransactionMark commit(std::uint32_t xid, std::uint64_t lsn, int second) {
    return {.xid = xid, .lsn = Lsn{lsn}, .time = at(second)};
  }

  void expect(Verdict verdict, FindingCode code = FindingCode::none) {
    const auto outcome = run_check("landing", bench);
    EXPECT_EQ(outcome.verdict, verdict) << outcome.summary;
    if (code == FindingCode::none) {
      EXPECT_TRUE(outcome.findings.empty());
    } else {
      ASSERT_FALSE(outcome.findings.empty());
      EXPECT_EQ(outcome.findings[0].code, code);
    }
  }

  CheckBench bench;
};

// A target before the branch point is reached on the older timeline.
TEST_F(LandingCheck, MayBeOnAnAncestorOfTheRequestedTimeline) {
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x5000080}, .timeline = "2"};
  bench.archive.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x6000000}}};
  expect(Verdict::pass);
  bench.archive.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x5000080}}};
  expect(Verdict::fail, FindingCode::landing_wrong);
  bench.archive.histories.clear();
  expect(Verdict::fail, FindingCode::landing_wrong);
}

TEST_F(LandingCheck, IsSkippedForANameIfTransactionsCannotBeRead) {
  bench.landing.proved = false;
  bench.landing.unexamined = "cannot start pg_waldump: No such file or directory";
  bench.landing.proof = "paused at 0/5000100; " + bench.landing.unexamined;
  bench.landing.archive_end = Lsn{0x8000000};
  bench.scenario.target = {.type = TargetType::immediate};
  const auto outcome = run_check("landing", bench);
  EXPECT_EQ(outcome.verdict, Verdict::skipped);
  EXPECT_THAT(outcome.summary, HasSubstr("pg_waldump"));
  // A short recovery is still detected, but a time cannot be proved without transactions.
  bench.scenario.target = {.type = TargetType::latest};
  expect(Verdict::fail, FindingCode::landing_short);
  bench.scenario.target = {.type = TargetType::name, .name = "moment"};
  expect(Verdict::unknown, FindingCode::landing_unproved);
}

TEST_F(LandingCheck, IsUnknownWithoutProof) {
  bench.scenario.target = {.type = TargetType::name, .name = "before_release"};
  expect(Verdict::pass);
  bench.landing.proved = false;
  bench.landing.proof = "PostgreSQL did not say where it stopped";
  expect(Verdict::unknown, FindingCode::landing_unproved);
}

TEST_F(LandingCheck, LatestMustReachTheLastSegment) {
  bench.landing.archive_end = Lsn{0x6000000};
  expect(Verdict::pass);
  bench.landing.archive_end = Lsn{0x8000000};
  bench.landing.proved = false;
  expect(Verdict::fail, FindingCode::landing_short);
  const auto outcome = run_check("landing", bench);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("replay ended at 0/5000100"));
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("the archive ends at 0/8000000"));
  EXPECT_EQ(outcome.findings[0].object, "000000010000000000000005");
}

TEST_F(LandingCheck, LatestReplaysEveryTransaction) {
  bench.landing.archive_end = Lsn{0x6000000};
  bench.landing.first_withheld = commit(750, 0x5000200, 9);
  expect(Verdict::fail, FindingCode::landing_short);
}

TEST_F(LandingCheck, LatestIsNotTheEndOfABranchThatHidesAnother) {
  bench.landing.archive_end = Lsn{0x6000000};
  for (const WalSegment segment : {WalSegment{1, 3}, {1, 4}, {1, 5}, {2, 5}}) {
    bench.archive.segments.push_back(
        {.segment = segment,
         .file = file_name(segment, bench.archive.segment_size) + ".lz4",
         .size = Bytes{1}});
  }
  expect(Verdict::fail, FindingCode::landing_short);
  EXPECT_EQ(run_check("landing", bench).findings[0].object, "00000002.history");
  bench.archive.segments.pop_back();
  expect(Verdict::pass);
}

TEST_F(LandingCheck, LatestNeedsTheEndOfTheArchive) {
  expect(Verdict::unknown, FindingCode::landing_unproved);
}

TEST_F(LandingCheck, ImmediateMustReachTheEndOfTheBackup) {
  bench.scenario.target.type = TargetType::immediate;
  expect(Verdict::pass);
  bench.backup.stop_lsn = Lsn{0x5000101};
  expect(Verdict::fail, FindingCode::landing_wrong);
}

TEST_F(LandingCheck, TimeIsBetweenTheTwoTransactions) {
  bench.scenario.target = {.type = TargetType::time, .time = at(5)};
  bench.landing.last_applied = commit(742, 0x5000000, 5);
  bench.landing.first_withheld = commit(743, 0x5000100, 6);
  expect(Verdict::pass);
  bench.scenario.target.exclusive = true;
  expect(Verdict::fail,
         FindingCode::landing_wrong);  // one that committed at the target was recovered
  bench.landing.last_applied = commit(742, 0x5000000, 4);
  bench.landing.first_withheld = commit(743, 0x5000100, 5);
  expect(Verdict::pass);
  bench.scenario.target.exclusive = false;
  expect(Verdict::fail, FindingCode::landing_wrong);  // one that committed at the target is missing
}

TEST_F(LandingCheck, TimeNeedsATransactionAfterTheTarget) {
  bench.scenario.target = {.type = TargetType::time, .time = at(5)};
  bench.landing.last_applied = commit(742, 0x5000000, 5);
  expect(Verdict::unknown, FindingCode::landing_unproved);
}

TEST_F(LandingCheck, LsnIsAfterOrBeforeTheRecord) {
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x50000C8}};
  bench.landing.last_applied = commit(742, 0x50000C8, 5);
  bench.landing.first_withheld = commit(743, 0x5000180, 6);
  expect(Verdict::pass);
  bench.scenario.target.exclusive = true;
  expect(Verdict::fail, FindingCode::landing_wrong);
  bench.landing.lsn = Lsn{0x50000C8};
  bench.landing.last_applied = commit(741, 0x5000060, 5);
  bench.landing.first_withheld = commit(742, 0x50000C8, 6);
  expect(Verdict::pass);
  bench.scenario.target.exclusive = false;
  expect(Verdict::fail, FindingCode::landing_wrong);
}

TEST_F(LandingCheck, ExclusiveLsnAfterAPageHeaderIsNotShort) {
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x5002018}, .exclusive = true};
  bench.landing.lsn = Lsn{0x5002000};
  expect(Verdict::pass);
  bench.landing.lsn = Lsn{0x5001F00};
  expect(Verdict::fail, FindingCode::landing_wrong);
}

TEST_F(LandingCheck, LsnBeforeASwitchIsReachedByTheFirstRecordOfTheNextSegment) {
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x4000080}};
  expect(Verdict::pass);
}

TEST_F(LandingCheck, LsnFarOverrunIsWrong) {
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x3000100}};
  expect(Verdict::fail, FindingCode::landing_wrong);
}

TEST_F(LandingCheck, XidIsTheLastOrTheFirstWithheld) {
  bench.scenario.target = {.type = TargetType::xid, .xid = 743U};
  bench.landing.last_applied = commit(743, 0x5000000, 5);
  bench.landing.first_withheld = commit(744, 0x5000100, 6);
  expect(Verdict::pass);
  bench.scenario.target.exclusive = true;
  expect(Verdict::fail, FindingCode::landing_wrong);
  bench.landing.last_applied = commit(742, 0x5000000, 5);
  bench.landing.first_withheld = commit(743, 0x5000100, 6);
  expect(Verdict::pass);
  bench.landing.first_withheld.reset();
  expect(Verdict::unknown, FindingCode::landing_unproved);
}

TEST_F(LandingCheck, XidMayBeRolledBack) {
  bench.scenario.target = {.type = TargetType::xid, .xid = 743U};
  bench.landing.last_applied = commit(742, 0x5000000, 5);
  bench.landing.last_ended = commit(743, 0x5000080, 6);
  bench.landing.last_ended->aborted = true;
  expect(Verdict::pass);
}

TEST_F(LandingCheck, ARollbackAfterTheTimeProvesIt) {
  bench.scenario.target = {.type = TargetType::time, .time = at(5)};
  bench.landing.last_applied = commit(742, 0x5000000, 4);
  bench.landing.first_withheld = commit(743, 0x5000100, 6);
  bench.landing.first_withheld->aborted = true;
  expect(Verdict::pass);
}

// The archive's last segment: no other check can see it.
TEST_F(LandingCheck, ASegmentThatCannotBeReadToItsEndFails) {
  bench.landing.archive_end = Lsn{0x6000000};
  bench.landing.damaged = "000000010000000000000005";
  bench.landing.proved = false;
  expect(Verdict::fail, FindingCode::wal_damaged);
  EXPECT_EQ(run_check("landing", bench).findings[0].object, "000000010000000000000005");
}

TEST_F(LandingCheck, ANameOrATransactionThatOccursTwiceIsUnknown) {
  bench.scenario.target = {.type = TargetType::name, .name = "before_release"};
  bench.landing.namesakes = {Lsn{0x7000100}};
  expect(Verdict::unknown, FindingCode::target_ambiguous);
  EXPECT_THAT(run_check("landing", bench).findings[0].message, HasSubstr("0/7000100"));
}

class AbandonedBranch : public LandingCheck {
 protected:
  AbandonedBranch() {
    bench.landing.timeline = 2;
    bench.landing.abandoned = {{.timeline = 1,
                                .next = 2,
                                .switch_lsn = Lsn{0x4000000},
                                .transactions = 2,
                                .first = commit(730, 0x4000100, 10),
                                .last = commit(731, 0x4000200, 11)}};
    bench.landing.last_applied = commit(729, 0x3000000, 9);
    bench.landing.first_withheld = commit(730, 0x5000200, 20);
  }
};

TEST_F(AbandonedBranch, CommittedBeforeTheTargetTime) {
  bench.scenario.target = {.type = TargetType::time, .time = at(12)};
  expect(Verdict::fail, FindingCode::target_orphaned);
  bench.scenario.target.time = at(9);
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
  // Who names the timeline knows the branches.
  bench.scenario.target.time = at(12);
  bench.scenario.target.timeline = "2";
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
}

TEST_F(AbandonedBranch, IsInThePastOnceTheNewTimelineHasCommits) {
  bench.scenario.target = {.type = TargetType::time, .time = at(19)};
  bench.landing.last_applied = commit(730, 0x4800000, 18);
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
}

TEST_F(AbandonedBranch, HasThePositionAsWell) {
  bench.landing.lsn = Lsn{0x4000180};
  bench.scenario.target = {.type = TargetType::lsn, .lsn = Lsn{0x4000150}};
  expect(Verdict::unknown, FindingCode::target_ambiguous);
  bench.scenario.target.lsn = Lsn{0x4000000};
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
}

TEST_F(LandingCheck, ARecoveryThatCouldNotPauseIsANote) {
  bench.scenario.target = {.type = TargetType::name, .name = "n"};
  bench.landing.promoted_because = "a transaction with many subtransactions is running";
  const auto outcome = run_check("landing", bench);
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::snapshot_pending);
}

TEST_F(LandingCheck, TimelineMustBeTheRequestedOne) {
  bench.scenario.target = {.type = TargetType::name, .name = "n", .timeline = "2"};
  expect(Verdict::fail, FindingCode::landing_wrong);
  bench.landing.timeline = 2;
  expect(Verdict::pass);
}

TEST_F(LandingCheck, ContinuingOnTheOldTimelineFails) {
  bench.landing.archive_end = Lsn{0x6000000};
  bench.landing.abandoned = {{.timeline = 1,
                              .next = 2,
                              .switch_lsn = Lsn{0x5000010},
                              .transactions = 2,
                              .first = commit(742, 0x5000020, 5),
                              .last = commit(743, 0x5000080, 6)}};
  expect(Verdict::fail, FindingCode::timeline_old_primary);
  EXPECT_THAT(run_check("landing", bench).findings[0].message,
              HasSubstr("recovered 2 transactions"));
}

TEST_F(LandingCheck, CommitsLostInAFailoverAreANote) {
  bench.landing.archive_end = Lsn{0x6000000};
  bench.landing.timeline = 2;
  bench.landing.abandoned = {{.timeline = 1,
                              .next = 2,
                              .switch_lsn = Lsn{0x5000010},
                              .transactions = 1,
                              .first = commit(742, 0x5000020, 5),
                              .last = commit(742, 0x5000020, 5)}};
  const auto outcome = run_check("landing", bench);
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::timeline_orphaned_commits);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("1 transaction committed on timeline 1"));
}

TEST_F(LandingCheck, LatestReachesThePrimarysTimeline) {
  bench.landing.archive_end = Lsn{0x6000000};
  bench.backup.system_identifier = 7;
  bench.primary_at_start = PrimaryIdentity{.system_identifier = 7, .timeline = 1};
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
  bench.primary_at_start->timeline = 2;
  const auto outcome = run_check("landing", bench);
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::timeline_outdated);
  EXPECT_EQ(outcome.findings[0].object, "00000002.history");
  // A promotion minutes ago: its first segment is still being written.
  bench.archive.histories[2] = {{.timeline = 1, .switch_lsn = Lsn{0x5000100}}};
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
  bench.archive.histories.clear();
  // Another cluster's timeline is no evidence; `identity` reports the mismatch.
  bench.primary_at_start->system_identifier = 8;
  EXPECT_EQ(run_check("landing", bench).verdict, Verdict::pass);
}

}  // namespace
}  // namespace pgrehearse
