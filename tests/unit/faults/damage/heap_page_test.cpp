#include "harness/faults/damage/heap_page.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(HeapPage, ChecksumDependsOnBlockAndContent) {
  Page page{};
  page[100] = 7;
  store_checksum(page, 3);
  const auto stored = static_cast<std::uint16_t>(page[8] | page[9] << 8);
  EXPECT_EQ(stored, checksum_of(page, 3));
  EXPECT_NE(stored, checksum_of(page, 4));
  page[101] = 1;
  EXPECT_NE(stored, checksum_of(page, 3));
}

TEST(HeapPage, NewPageHasNoItems) { EXPECT_EQ(line_pointers(Page{}), 0U); }

}  // namespace
}  // namespace pgrehearse
