#include "harness/primary/snapshot/commit_order.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr Lsn end{1000};

std::optional<std::uint64_t> cut(std::string_view snapshot,
                                 std::initializer_list<TransactionMark> commits) {
  const std::vector<TransactionMark> all(commits);
  const auto found = find_cut(*parse_transaction_snapshot(snapshot), all, end);
  return found ? std::optional(found->value) : std::nullopt;
}

TEST(CommitOrder, CutsBetweenTheLastSeenAndTheFirstUnseenCommit) {
  EXPECT_EQ(cut("10:20:15", {{11, {100}}, {12, {200}}, {15, {300}}, {21, {400}}}), 300);
}

// Its record is in the WAL before the transaction leaves the list of running ones.
TEST(CommitOrder, NoCutWhenASeenCommitFollowsAnUnseenOne) {
  EXPECT_EQ(cut("10:20:15", {{15, {100}}, {12, {200}}}), std::nullopt);
  EXPECT_EQ(cut("10:20:", {{20, {100}}, {19, {200}}}), std::nullopt);
}

TEST(CommitOrder, WithoutAnUnseenCommitTheCutIsTheEnd) {
  EXPECT_EQ(cut("10:20:15", {{11, {100}}}), 1000);
  EXPECT_EQ(cut("10:20:15", {}), 1000);
}

TEST(CommitOrder, IgnoresARecordWithoutATransaction) {
  EXPECT_EQ(cut("10:20:15", {{15, {100}}, {0, {200}}}), 100);
}

std::optional<std::uint64_t> replay_cut(Lsn before, Lsn after,
                                        std::initializer_list<TransactionMark> commits) {
  const std::vector<TransactionMark> all(commits);
  const auto found = find_replay_cut(before, after, all);
  return found ? std::optional(found->value) : std::nullopt;
}

TEST(CommitOrder, ReplayPositionIsExactWithoutACommitNearby) {
  EXPECT_EQ(replay_cut({100}, {100}, {}), 100);
  EXPECT_EQ(replay_cut({100}, {200}, {{11, {90}}, {12, {201}}, {0, {150}}}), 100);
}

// The record that begins at the replay position may be half applied: its rows may be visible.
TEST(CommitOrder, NoCutNextToACommitThatReplayMayHaveReached) {
  EXPECT_EQ(replay_cut({100}, {100}, {{11, {100}}}), std::nullopt);
  EXPECT_EQ(replay_cut({100}, {200}, {{11, {150}}}), std::nullopt);
  EXPECT_EQ(replay_cut({100}, {200}, {{11, {200}}}), std::nullopt);
}

TEST(TransactionSnapshot, SeesTransactionsThatHadEnded) {
  const auto snapshot = parse_transaction_snapshot("10:20:12,15");
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(snapshot->sees(9));
  EXPECT_TRUE(snapshot->sees(11));
  EXPECT_FALSE(snapshot->sees(12));
  EXPECT_FALSE(snapshot->sees(15));
  EXPECT_TRUE(snapshot->sees(19));
  EXPECT_FALSE(snapshot->sees(20));
  EXPECT_FALSE(snapshot->sees(5000));
}

TEST(TransactionSnapshot, SeesAcrossXidWraparound) {
  // xmax is 2^32 + 10: XID 4294967290 is older than XID 9.
  const auto snapshot = parse_transaction_snapshot("4294967290:4294967306:4294967294,4294967300");
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(snapshot->sees(4294967289U));
  EXPECT_FALSE(snapshot->sees(4294967294U));
  EXPECT_TRUE(snapshot->sees(3));
  EXPECT_FALSE(snapshot->sees(4));
  EXPECT_FALSE(snapshot->sees(10));
}

TEST(TransactionSnapshot, MalformedTextIsRefused) {
  EXPECT_FALSE(parse_transaction_snapshot(""));
  EXPECT_FALSE(parse_transaction_snapshot("1:2"));
  EXPECT_FALSE(parse_transaction_snapshot("1:x:"));
  EXPECT_FALSE(parse_transaction_snapshot("1:2:3,"));
  EXPECT_TRUE(parse_transaction_snapshot("1:1:")->running.empty());
}

TEST(TransactionEnds, IncludeRollbacks) {
  const auto ends = parse_transaction_ends(
      "rmgr: Transaction len (rec/tot):     38/    38, tx:        742, lsn: 0/0153A220, prev "
      "0/0153A1F8, desc: ABORT 2026-11-20 03:00:00.2 UTC\n"
      "rmgr: Transaction len (rec/tot):     66/    66, tx:          0, lsn: 0/0153A390, prev "
      "0/0153A348, desc: ABORT_PREPARED 747: 2026-11-20 03:00:00.6 UTC\n"
      "rmgr: Transaction len (rec/tot):     34/    34, tx:        748, lsn: 0/0153A3F8, prev "
      "0/0153A390, desc: COMMIT 2026-11-20 03:00:00.7 UTC\n"
      "rmgr: Heap        len (rec/tot):     34/    34, tx:        748, lsn: 0/0153A408, prev "
      "0/0153A3F8, desc: INSERT off 1\n");
  ASSERT_EQ(ends.size(), 3U);
  EXPECT_EQ(ends[0].xid, 742U);
  EXPECT_TRUE(ends[0].aborted);
  EXPECT_EQ(ends[0].time, parse_instant("2026-11-20 03:00:00.2+00"));
  EXPECT_EQ(ends[1].xid, 747U);
  EXPECT_TRUE(ends[1].aborted);
  EXPECT_FALSE(ends[2].aborted);
}

// Lines of pg_waldump 15: with subtransactions, of a prepared transaction, and others.
TEST(CommitRecords, AreParsedWithTheirTransaction) {
  const auto commits = parse_commits(
      "rmgr: Transaction len (rec/tot):     34/    34, tx:        741, lsn: 0/0153A1F8, prev "
      "0/0153A1B8, desc: COMMIT 2026-11-20 03:00:00.123456 UTC\n"
      "rmgr: Transaction len (rec/tot):     38/    38, tx:        742, lsn: 0/0153A220, prev "
      "0/0153A1F8, desc: ABORT 2026-11-20 03:00:00.2 UTC\n"
      "rmgr: Transaction len (rec/tot):     54/    54, tx:        743, lsn: 0/0153A248, prev "
      "0/0153A220, desc: COMMIT 2026-11-20 03:00:00.3 UTC; subxacts: 744 745\n"
      "rmgr: Transaction len (rec/tot):    200/   200, tx:        746, lsn: 0/0153A280, prev "
      "0/0153A248, desc: PREPARE gid kept: 2026-11-20 03:00:00.4 UTC\n"
      "rmgr: Transaction len (rec/tot):     66/    66, tx:          0, lsn: 0/0153A348, prev "
      "0/0153A280, desc: COMMIT_PREPARED 746: 2026-11-20 03:00:00.5 UTC\n"
      "rmgr: Transaction len (rec/tot):     66/    66, tx:          0, lsn: 0/0153A390, prev "
      "0/0153A348, desc: ABORT_PREPARED 747: 2026-11-20 03:00:00.6 UTC\n");
  ASSERT_EQ(commits.size(), 3U);
  EXPECT_EQ(commits[0].xid, 741U);
  EXPECT_EQ(commits[1].xid, 743U);
  EXPECT_EQ(commits[2].xid, 746U);
  EXPECT_EQ(to_text(commits[2].lsn), "0/153A348");
}

}  // namespace
}  // namespace pgrehearse
