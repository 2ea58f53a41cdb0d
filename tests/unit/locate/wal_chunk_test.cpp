#include "harness/locate/wal_chunk.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr std::uint64_t segment = std::uint64_t{16} << 20U;

WalChunk read(std::initializer_list<const char*> lines, WalChunkReader::Watch watch = {}) {
  WalChunkReader reader(std::move(watch), segment);
  for (const auto* line : lines) reader.take(line);
  return reader.finish();
}

// Lines of pg_waldump 15.
constexpr const char* drop =
    "rmgr: Transaction len (rec/tot):    405/   405, tx:        745, lsn: 0/0153A1F8, prev "
    "0/0153A1C0, desc: COMMIT 2026-11-28 14:05:11.123456 UTC; rels: base/5/16403 base/5/16400; "
    "subxacts: 746 747; dropped stats: 2/5/16403 2/5/16400; inval msgs: catcache 50 catcache 49 "
    "relcache 16403 relcache 16400 snapshot 2608";

TEST(WalChunk, ReadsTheCommitOfADrop) {
  const auto chunk = read({drop});
  ASSERT_EQ(chunk.ends.size(), 1U);
  EXPECT_EQ(chunk.ends[0].xid, 745U);
  EXPECT_EQ(to_text(chunk.ends[0].lsn), "0/153A1F8");
  EXPECT_EQ(to_text(chunk.ends[0].end), "0/153A390");
  EXPECT_EQ(chunk.ends[0].time, parse_instant("2026-11-28 14:05:11.123456+00"));
  const auto& details = chunk.details.at(0);
  EXPECT_EQ(details.dropped, (std::vector<FileNode>{{1663, 5, 16403}, {1663, 5, 16400}}));
  EXPECT_EQ(details.subtransactions, (std::vector<std::uint32_t>{746, 747}));
  EXPECT_EQ(details.dropped_statistics, (std::vector<std::uint32_t>{16403, 16400}));
  EXPECT_EQ(details.invalidated, (std::vector<std::uint32_t>{16403, 16400}));
}

TEST(WalChunk, ReadsNewFilesDroppedDatabasesAndRestorePoints) {
  const auto chunk =
      read({"rmgr: Storage     len (rec/tot):     42/    42, tx:        745, lsn: 0/01539F50, prev "
            "0/01539F18, desc: CREATE base/5/16404",
            "rmgr: Database    len (rec/tot):     38/    38, tx:        750, lsn: 0/0153B000, prev "
            "0/0153AFC0, desc: DROP dir 1663/16388",
            "rmgr: XLOG        len (rec/tot):     98/    98, tx:          0, lsn: 0/0153C000, prev "
            "0/0153BFC0, desc: RESTORE_POINT before release"});
  ASSERT_EQ(chunk.created.size(), 1U);
  EXPECT_EQ(chunk.created[0].file, (FileNode{1663, 5, 16404}));
  ASSERT_EQ(chunk.dropped_databases.size(), 1U);
  EXPECT_EQ(chunk.dropped_databases[0].database, 16388U);
  ASSERT_EQ(chunk.restore_points.size(), 1U);
  EXPECT_EQ(chunk.restore_points[0].name, "before release");
  EXPECT_EQ(chunk.records, 3U);
}

TEST(WalChunk, CountsRowsOfTransactionsThatChangedAWatchedFile) {
  const auto line = [](const char* manager, int xid, const char* what, int file) {
    return fmt::format(
        "rmgr: {:<11} len (rec/tot):     54/    54, tx: {:>10}, lsn: 0/0153A1F8, prev 0/0153A1C0, "
        "desc: {} , blkref #0: rel 1663/5/{} blk 0",
        manager, xid, what, file);
  };
  WalChunkReader reader({.database = 5, .watched = [](auto file) { return file == 16400; }},
                        segment);
  for (const auto& text :
       {line("Heap", 7, "DELETE off 12 flags 0x00 KEYS_UPDATED", 16400),
        line("Heap", 7, "DELETE off 13 flags 0x00 KEYS_UPDATED", 16400),
        line("Heap", 7, "HOT_UPDATE off 1 xmax 7 flags 0x20", 16390),
        line("Heap2", 8, "MULTI_INSERT+INIT 61 tuples flags 0x02", 16400),
        line("Heap", 9, "DELETE off 1", 16390), line("Btree", 7, "INSERT_LEAF off 1", 16400)}) {
    reader.take(text);
  }
  const auto chunk = reader.finish();
  EXPECT_EQ(chunk.work.at({7, 16400}), (RecordCounts{.deleted = 2}));
  EXPECT_EQ(chunk.work.at({7, 16390}), (RecordCounts{.updated = 1}));
  EXPECT_EQ(chunk.work.at({8, 16400}), (RecordCounts{.inserted = 61}));
  EXPECT_FALSE(chunk.work.contains({9, 16390})) << "it did not change the watched file";
}

TEST(WalChunk, ReadsPathsOfFiles) {
  EXPECT_EQ(parse_file_path("pg_tblspc/16385/PG_15_202209061/5/16401"),
            (FileNode{16385, 5, 16401}));
  EXPECT_EQ(parse_file_path("global/1262"), (FileNode{1664, 0, 1262}));
  for (const char* path : {"", "base", "base/5", "base/5/t3_16400", "pg_tblspc/x/y/5/1", "/"}) {
    EXPECT_FALSE(parse_file_path(path)) << path;
  }
}

TEST(WalChunk, ARecordMayCrossPages) {
  EXPECT_EQ(end_of_record({100}, 50, segment), (Lsn{152}));
  // Eight bytes before the end of a page: the rest follows the header of the next one.
  EXPECT_EQ(end_of_record({8184}, 30, segment), (Lsn{8192 + 24 + 24}));
  EXPECT_EQ(end_of_record({segment - 8}, 16, segment), (Lsn{segment + 40 + 8}));
}

TEST(WalChunk, IgnoresOtherLines) {
  const auto chunk = read({"", "first record is after 0/2000000, at 0/2000028",
                           "rmgr: ", "rmgr: Heap", "rmgr: Transaction lsn: , desc: COMMIT"});
  EXPECT_TRUE(chunk.ends.empty());
  EXPECT_EQ(chunk.records, 0U);
}

}  // namespace
}  // namespace pgrehearse
