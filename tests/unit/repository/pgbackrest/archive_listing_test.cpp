#include "harness/repository/pgbackrest/archive_listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t segment_size = 16ULL << 20U;

ParsedArchive parse(const std::string& json) {
  return parse_archive_listing(json, "15-1", segment_size);
}

std::vector<std::string> names(const ParsedArchive& archive) {
  std::vector<std::string> found;
  for (const auto& file : archive.listing.segments) {
    found.push_back(file_name(file.segment, segment_size));
  }
  return found;
}

// Recorded from 2.45 after a promotion, zst and aes-256-cbc.
constexpr char recorded[] =
    R"({".":{"type":"path"},"0000000100000000":{"type":"path"},)"
    R"("0000000100000000/00000001000000000000000D-e97d2f27b3f4bcd6c0523eef40d6d2821df4cef7.zst":{"type":"file","size":704,"time":1795224586},)"
    R"("0000000100000000/00000001000000000000000C-d9580976632dc95168ae2bb5ade37c83ee586159.zst":{"type":"file","size":669584,"time":1795224584},)"
    R"("0000000100000000/00000001000000000000000D.00000028.backup":{"type":"file","size":400,"time":1795224586},)"
    R"("0000000100000000/00000001000000000000000E.partial-4031fb716bcafb59e4b31a8318529b85ab6a3e1e.zst":{"type":"file","size":63744,"time":1795224586},)"
    R"("00000002.history":{"type":"file","size":64,"time":1795224586},"0000000200000000":{"type":"path"},)"
    R"("0000000200000000/00000002000000000000000E-f58b612d97e18aefbba1f8b5e545b7fbaa74cf74.zst":{"type":"file","size":26848,"time":1795224586}})";

TEST(ArchiveListing, SeparatesSegmentsHistoriesAndBackupLabels) {
  const auto archive = parse(recorded);
  EXPECT_EQ(archive.listing.id, "15-1");
  EXPECT_EQ(archive.listing.segment_size, segment_size);
  EXPECT_THAT(names(archive), ElementsAre("00000001000000000000000C", "00000001000000000000000D",
                                          "00000002000000000000000E"));
  EXPECT_EQ(archive.listing.segments[0].size.count, 669584U);
  EXPECT_EQ(archive.listing.segments[0].file,
            "00000001000000000000000C-d9580976632dc95168ae2bb5ade37c83ee586159.zst");
  EXPECT_THAT(archive.history_files, ElementsAre("00000002.history"));
  EXPECT_THAT(archive.listing.unrecognized, IsEmpty());
}

TEST(ArchiveListing, TakesEveryCompressionAndKeepsDuplicates) {
  const std::string directory = "\"0000000100000000/000000010000000000000005-";
  std::string json = "{";
  for (const char* end : {"a\"", "b.gz\"", "c.lz4\"", "d.zst\"", "e.bz2\""}) {
    json += directory + std::string(39, '0') + end + R"(:{"type":"file","size":1},)";
  }
  json.back() = '}';
  const auto archive = parse(json);
  EXPECT_EQ(archive.listing.segments.size(), 5U);
  EXPECT_THAT(archive.listing.unrecognized, IsEmpty());
}

TEST(ArchiveListing, KeepsUnknownFilesAndIgnoresRunningUploads) {
  const std::string checksum(40, 'a');
  const auto archive =
      parse(R"({"README":{"type":"file","size":1},)"
            R"("0000000100000000/000000010000000000000005":{"type":"file","size":1},)"
            R"("0000000100000000/000000010000000000000005-beef.lz4":{"type":"file","size":1},)"
            R"("0000000200000000/000000010000000000000006-)" +
            checksum +
            R"(.lz4":{"type":"file","size":1},)"
            R"("0000000100000000/0000000100000000000001FF-)" +
            checksum +
            R"(.lz4":{"type":"file","size":1},)"
            R"("0000000100000000/000000010000000000000007-)" +
            checksum +
            R"(.rar":{"type":"file","size":1},)"
            R"("0000000100000000/000000010000000000000008-)" +
            checksum + R"(.lz4.pgbackrest.tmp":{"type":"file","size":1}})");
  EXPECT_THAT(archive.listing.segments, IsEmpty());
  EXPECT_THAT(
      archive.listing.unrecognized,
      ElementsAre("0000000100000000/000000010000000000000005",
                  "0000000100000000/000000010000000000000005-beef.lz4",
                  "0000000100000000/000000010000000000000007-" + checksum + ".rar",
                  "0000000100000000/0000000100000000000001FF-" + checksum + ".lz4",
                  "0000000200000000/000000010000000000000006-" + checksum + ".lz4", "README"));
}

TEST(ArchiveListing, MissingArchiveIsEmpty) {
  EXPECT_THAT(parse(R"({".":{"type":"path"}})").listing.segments, IsEmpty());
}

TEST(ArchiveListing, RejectsOutputThatIsNotAListing) {
  for (const char* json : {"", "[]", R"({"a":)"}) {
    EXPECT_THROW(parse(json), Error) << json;
  }
}

}  // namespace
}  // namespace pgrehearse
