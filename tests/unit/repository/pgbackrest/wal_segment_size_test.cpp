#include "harness/repository/pgbackrest/wal_segment_size.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr std::uint64_t mib = 1ULL << 20U;

Backup starting(std::string_view lsn, const std::string& segment) {
  return {.start_lsn = parse_lsn(lsn), .start_segment = segment};
}

ArchiveListing archive(std::initializer_list<std::string_view> names) {
  ArchiveListing listing;
  for (const auto name : names) {
    listing.segments.push_back({.segment = *parse_wal_segment(name, smallest_segment_size)});
  }
  return listing;
}

TEST(WalSegmentSize, FollowsFromTheStartOfABackup) {
  EXPECT_EQ(deduce_segment_size(starting("0/2000028", "000000010000000000000002")), 16 * mib);
  EXPECT_EQ(deduce_segment_size(starting("0/2000028", "000000010000000000000020")), 1 * mib);
  EXPECT_EQ(deduce_segment_size(starting("3/40000028", "000000010000000300000001")), 1024 * mib);
  EXPECT_EQ(deduce_segment_size(starting("0/8000028", "000000010000000000000002")), 64 * mib);
}

TEST(WalSegmentSize, IsNotGuessedWhenSeveralFit) {
  EXPECT_EQ(deduce_segment_size(starting("2/28", "000000010000000200000000")), std::nullopt);
  EXPECT_EQ(deduce_segment_size(Backup{.start_segment = "000000010000000000000002"}), std::nullopt);
  EXPECT_EQ(deduce_segment_size(starting("0/2000028", "000000010000000000000003")), std::nullopt);
  EXPECT_EQ(deduce_segment_size(Backup{}), std::nullopt);
}

TEST(WalSegmentSize, FollowsFromTheLastSegmentBeforeTheNextLog) {
  const auto ambiguous = starting("2/28", "000000010000000200000000");
  EXPECT_EQ(deduce_segment_size(ambiguous,
                                archive({"0000000100000001000000FF", "000000010000000200000000"})),
            16 * mib);
  EXPECT_EQ(deduce_segment_size(ambiguous,
                                archive({"000000010000000100000003", "000000010000000200000000"})),
            1024 * mib);
  EXPECT_EQ(deduce_segment_size(ambiguous, archive({"000000010000000200000007"})), std::nullopt);
  EXPECT_EQ(deduce_segment_size(ambiguous, archive({"000000010000000200000800"})), 1 * mib);
}

}  // namespace
}  // namespace pgrehearse
