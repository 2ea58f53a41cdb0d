#include "harness/locate/incident_search.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr std::uint32_t database = 5;
FileNode file(std::uint32_t number) { return {1663, database, number}; }

// public.orders with a TOAST relation and an index, and public.items.
CatalogRelations catalog() {
  return {
      .database = "shop",
      .database_oid = database,
      .relations =
          {{.oid = 100,
            .table = 100,
            .file = file(100),
            .kind = 'r',
            .name = "public.orders",
            .rows = 1000},
           {.oid = 101,
            .table = 100,
            .file = file(101),
            .kind = 't',
            .name = "pg_toast.pg_toast_100"},
           {.oid = 102,
            .table = 100,
            .file = file(102),
            .kind = 'i',
            .name = "pg_toast.pg_toast_100_index"},
           {.oid = 103, .table = 100, .file = file(103), .kind = 'i', .name = "public.orders_pkey"},
           {.oid = 200,
            .table = 200,
            .file = file(200),
            .kind = 'r',
            .name = "public.items",
            .rows = 50}},
      .searched = {100}};
}

class IncidentSearchTest : public testing::Test {
 protected:
  // A transaction that commits. Files are dropped as the commit record lists them: last first.
  struct Made {
    std::uint32_t xid = 0;
    CommitDetails details;
    std::vector<FileNode> created;
    std::map<std::uint32_t, RecordCounts> work;
    bool aborted = false;
  };
  void take(IncidentSearch& search, const std::vector<Made>& transactions) {
    WalChunk chunk;
    for (const auto& each : transactions) {
      chunk.ends.push_back({.xid = each.xid,
                            .lsn = {next_ += 100},
                            .time = Instant(std::chrono::seconds(next_)),
                            .aborted = each.aborted});
      if (!each.details.empty()) chunk.details[chunk.ends.size() - 1] = each.details;
      for (const auto& made : each.created) chunk.created.push_back({each.xid, made});
      for (const auto& [number, counts] : each.work) chunk.work[{each.xid, number}] = counts;
    }
    search.take(chunk);
  }
  static IncidentSearch search(IncidentKind kind, std::uint64_t at_least = 1) {
    return {
        {.kind = kind, .table = {"shop", "public", "orders"}, .at_least = at_least}, catalog(), {}};
  }
  static std::vector<std::uint32_t> found(const IncidentSearch& search) {
    std::vector<std::uint32_t> xids;
    for (const auto& candidate : search.candidates()) xids.push_back(candidate.commit.xid);
    return xids;
  }
  const std::vector<FileNode> all_files{file(103), file(102), file(101), file(100)};
  const std::vector<FileNode> new_files{file(300), file(301), file(302), file(303)};
  std::uint64_t next_ = 1000;
};

using Xids = std::vector<std::uint32_t>;

TEST_F(IncidentSearchTest, FindsADrop) {
  auto dropped = search(IncidentKind::dropped);
  auto truncated = search(IncidentKind::truncated);
  const std::vector<Made> wal{{.xid = 7},
                              {.xid = 8,
                               .details = {.dropped = all_files,
                                           .invalidated = {100, 101, 102, 103},
                                           .dropped_statistics = {100, 101, 102, 103}}},
                              {.xid = 9}};
  take(dropped, wal);
  take(truncated, wal);
  EXPECT_EQ(found(dropped), Xids{8});
  EXPECT_EQ(found(truncated), Xids{});
  EXPECT_EQ(dropped.candidates()[0].what, "dropped shop.public.orders");
  EXPECT_EQ(dropped.candidates()[0].rows, 1000);
  EXPECT_EQ(dropped.candidates()[0].earlier_commits, 1U);
  EXPECT_EQ(dropped.commits(), 3U);
}

TEST_F(IncidentSearchTest, ADropWithANewTableInOneTransactionIsNoTruncate) {
  auto dropped = search(IncidentKind::dropped);
  take(dropped, {{.xid = 8,
                  .details = {.dropped = all_files,
                              .invalidated = {100, 101, 102, 103, 300, 301, 302, 303},
                              .dropped_statistics = {100, 101, 102, 103}},
                  .created = new_files}});
  EXPECT_EQ(found(dropped), Xids{8});
}

TEST_F(IncidentSearchTest, FollowsTheTableThroughTruncateAndRewrite) {
  auto truncated = search(IncidentKind::truncated);
  auto deleted = search(IncidentKind::deleted);
  const std::vector<Made> wal{
      {.xid = 8, .details = {.dropped = all_files, .invalidated = {100}}, .created = new_files},
      // VACUUM FULL: a table without a name takes the place of the old one.
      {.xid = 9,
       .details = {.dropped = {file(300), file(301), file(302), file(303)},
                   .invalidated = {100, 400, 401, 402}},
       .created = {file(400), file(401), file(402), file(403)}},
      {.xid = 10, .work = {{400, {.deleted = 3}}}},
      {.xid = 11, .work = {{100, {.deleted = 5}}}},
      {.xid = 12,
       .details = {.dropped = {file(402), file(401), file(400)}, .invalidated = {100}},
       .created = {file(500), file(501), file(502)}}};
  take(truncated, wal);
  take(deleted, wal);
  EXPECT_EQ(found(truncated), (Xids{8, 12}));
  EXPECT_EQ(found(deleted), (Xids{10, 11}));
  EXPECT_TRUE(truncated.lost_track().empty()) << truncated.lost_track();
}

TEST_F(IncidentSearchTest, CountsRowsOfSubtransactionsButNotOfAborts) {
  auto deleted = search(IncidentKind::deleted, 10);
  WalChunk chunk;
  chunk.work[{21, 100}] = {.deleted = 6};
  chunk.work[{22, 100}] = {.deleted = 6};
  chunk.work[{31, 100}] = {.deleted = 60};
  chunk.work[{40, 100}] = {.deleted = 9};
  chunk.ends = {{.xid = 31, .lsn = {10}, .aborted = true},
                {.xid = 21, .lsn = {20}},
                {.xid = 40, .lsn = {30}}};
  chunk.details[1].subtransactions = {22};
  deleted.take(chunk);
  ASSERT_EQ(found(deleted), Xids{21});
  EXPECT_EQ(deleted.candidates()[0].counts.deleted, 12U);
  EXPECT_EQ(deleted.candidates()[0].what, "deleted 12 rows of shop.public.orders");
}

TEST_F(IncidentSearchTest, OtherTablesAndIndexRebuildsAreNoIncident) {
  auto dropped = search(IncidentKind::dropped);
  auto truncated = search(IncidentKind::truncated);
  for (auto* each : {&dropped, &truncated}) {
    take(*each, {{.xid = 8, .details = {.dropped = {file(200)}, .dropped_statistics = {200}}},
                 {.xid = 9,
                  .details = {.dropped = {file(103)}, .invalidated = {100, 103}},
                  .created = {file(303)}}});
    EXPECT_EQ(found(*each), Xids{});
  }
}

TEST_F(IncidentSearchTest, TwoTablesTruncatedTogetherAreBothFollowed) {
  auto deleted = search(IncidentKind::deleted);
  take(deleted, {{.xid = 8,
                  .details = {.dropped = {file(200), file(103), file(102), file(101), file(100)},
                              .invalidated = {100, 200}},
                  .created = {file(300), file(301), file(302), file(303), file(304)}},
                 {.xid = 9, .work = {{304, {.deleted = 3}}}},
                 {.xid = 10, .work = {{300, {.deleted = 1}}}}});
  EXPECT_EQ(found(deleted), Xids{10}) << "304 is the file of the other table";
}

TEST_F(IncidentSearchTest, OlderServersDoNotSayWhetherATableWasDropped) {
  IncidentSearch dropped({.table = {"shop", "public", "orders"}, .lists_dropped_relations = false},
                         catalog(), {});
  take(dropped, {{.xid = 8,
                  .details = {.dropped = all_files, .invalidated = {100, 300}},
                  .created = {file(300)}}});
  ASSERT_EQ(found(dropped), Xids{8});
  EXPECT_FALSE(dropped.candidates()[0].certain);
}

TEST_F(IncidentSearchTest, FindsADroppedDatabase) {
  IncidentSearch dropped({.kind = IncidentKind::database_dropped, .table = {.database = "shop"}},
                         {.database = "shop", .database_oid = 16388}, {});
  WalChunk chunk;
  chunk.dropped_databases = {{.xid = 7, .database = 99}, {.xid = 8, .database = 16388}};
  chunk.ends = {{.xid = 7, .lsn = {10}}, {.xid = 8, .lsn = {20}}};
  dropped.take(chunk);
  EXPECT_EQ(found(dropped), Xids{8});
}

TEST_F(IncidentSearchTest, CommitsBeforeTheCatalogAreNotSearched) {
  IncidentSearch deleted({.kind = IncidentKind::deleted, .table = {"shop", "public", "orders"}},
                         catalog(), {15});
  WalChunk chunk;
  chunk.work[{7, 100}] = {.deleted = 1};
  chunk.work[{8, 100}] = {.deleted = 1};
  chunk.ends = {{.xid = 7, .lsn = {10}}, {.xid = 8, .lsn = {20}}};
  deleted.take(chunk);
  EXPECT_EQ(found(deleted), Xids{8});
  EXPECT_EQ(deleted.commits(), 1U);
}

}  // namespace
}  // namespace pgrehearse
