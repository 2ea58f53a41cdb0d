// The outputs are pg_checksums 15's own, from clusters damaged on purpose.
#include "checks/parsers/checksums_output.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr auto clean =
    "Checksum operation completed\nFiles scanned:   1263\nBlocks scanned:  4509\n"
    "Bad checksums:  0\nData checksum version: 1\n";

TEST(ChecksumsOutput, CountsWhatWasScanned) {
  const auto output = parse_checksums(clean, "  0/35 MB (0%) computed\n35/35 MB (100%) computed\n");
  EXPECT_EQ(output.files, 1263U);
  EXPECT_EQ(output.blocks, 4509U);
  EXPECT_EQ(output.bad, 0U);
  EXPECT_TRUE(output.bad_blocks.empty());
  EXPECT_TRUE(output.errors.empty());
  EXPECT_FALSE(output.disabled);
}

TEST(ChecksumsOutput, NamesFileBlockAndBothChecksums) {
  const auto output = parse_checksums(
      "",
      "pg_checksums: error: checksum verification failed in file "
      "\"/data/pg_tblspc/16385/PG_15_202209061/16384/16406\", block 2: calculated checksum "
      "958A but block contains 64FB\n");
  ASSERT_EQ(output.bad_blocks.size(), 1U);
  const auto& bad = output.bad_blocks[0];
  EXPECT_EQ(bad.file, "/data/pg_tblspc/16385/PG_15_202209061/16384/16406");
  EXPECT_EQ(bad.block, 2U);
  EXPECT_EQ(bad.calculated, "958A");
  EXPECT_EQ(bad.stored, "64FB");
  EXPECT_TRUE(output.errors.empty()) << "a bad block is no complaint of its own";
}

TEST(ChecksumsOutput, ReadsTheOutputOfOlderVersions) {
  const auto output = parse_checksums(
      "Files scanned:  10\n",
      "pg_verify_checksums: checksum verification failed in file \"base/1/2\", block 7: "
      "calculated checksum 1 but expected A\n");
  ASSERT_EQ(output.bad_blocks.size(), 1U);
  EXPECT_EQ(output.bad_blocks[0].stored, "A");
}

TEST(ChecksumsOutput, KeepsOtherErrors) {
  const auto cut = parse_checksums(
      "",
      "pg_checksums: error: could not read block 12 in file \"base/5/16464\": read 100 of "
      "8192\n");
  EXPECT_EQ(cut.errors, std::vector<std::string>{
                            "could not read block 12 in file \"base/5/16464\": read 100 of 8192"});
  EXPECT_EQ(cut.bad, std::nullopt);
  EXPECT_TRUE(parse_checksums("",
                              "pg_checksums: error: data checksums are not enabled in "
                              "cluster\n")
                  .disabled);
}

TEST(ChecksumsProgress, IsReadFromItsLines) {
  const auto progress = parse_checksums_progress(" 12/35 MB (34%) computed");
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->done, 12U);
  EXPECT_EQ(progress->total, 35U);
  EXPECT_FALSE(parse_checksums_progress("Files scanned:   1263"));
}

}  // namespace
}  // namespace pgrehearse
