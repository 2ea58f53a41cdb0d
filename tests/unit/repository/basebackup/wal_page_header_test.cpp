#include "harness/repository/basebackup/wal_page_header.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace pgrehearse {
namespace {

std::string header(std::uint16_t magic, std::uint16_t flags, std::uint32_t segment_size) {
  std::string bytes(wal_page_header_size, '\0');
  const std::uint32_t timeline = 3;
  const std::uint64_t system_identifier = 7713061894759684257;
  std::memcpy(bytes.data(), &magic, 2);
  std::memcpy(bytes.data() + 2, &flags, 2);
  std::memcpy(bytes.data() + 4, &timeline, 4);
  std::memcpy(bytes.data() + 24, &system_identifier, 8);
  std::memcpy(bytes.data() + 32, &segment_size, 4);
  return bytes;
}

TEST(WalPageHeader, IsRead) {
  const auto found = parse_wal_page_header(header(0xD110, 2, 16U << 20U));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->postgres_major, 15);
  EXPECT_EQ(found->timeline, 3U);
  EXPECT_EQ(found->system_identifier, 7713061894759684257U);
  EXPECT_EQ(found->segment_size, 16U << 20U);
  EXPECT_EQ(parse_wal_page_header(header(0xD1FF, 2, 1U << 20U))->postgres_major, 0);
}

TEST(WalPageHeader, OtherBytesAreNone) {
  EXPECT_FALSE(parse_wal_page_header("short"));
  EXPECT_FALSE(parse_wal_page_header(std::string(40, '\0')));
  EXPECT_FALSE(parse_wal_page_header(header(0xD110, 0, 16U << 20U)));
  EXPECT_FALSE(parse_wal_page_header(header(0xD110, 2, 12345)));
  EXPECT_FALSE(parse_wal_page_header(header(0x1234, 2, 16U << 20U)));
}

}  // namespace
}  // namespace pgrehearse
