#include "harness/postgres/database_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename Number>
void put(std::string& bytes, std::size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

// A page of pg_database, its rows from the end.
std::string page_of(const std::vector<std::string>& names) {
  constexpr std::size_t row_length = 24 + 4 + 64 + 20;
  std::string page(8192, '\0');
  put<std::uint16_t>(page, 12, static_cast<std::uint16_t>(24 + 4 * names.size()));
  put<std::uint16_t>(page, 18, 8192 | 4);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto begin = page.size() - (i + 1) * row_length;
    put(page, 24 + 4 * i,
        static_cast<std::uint32_t>(begin | 1U << 15U |
                                   static_cast<std::uint32_t>(row_length) << 17U));
    page[begin + 22] = 24;
    put<std::uint32_t>(page, begin + 24, static_cast<std::uint32_t>(16384 + i));
    std::memcpy(page.data() + begin + 28, names[i].data(), names[i].size());
  }
  return page;
}

TEST(DatabaseNames, AreReadFromEveryPageOnce) {
  EXPECT_THAT(database_names(page_of({"app", "template1", "app"}) + page_of({"caf\xc3\xa9"})),
              ElementsAre("app", "template1", "caf\xc3\xa9"));
}

TEST(DatabaseNames, WhatIsNoPageIsIgnored) {
  EXPECT_THAT(database_names(""), IsEmpty());
  EXPECT_THAT(database_names(std::string(5000, '\xff')), IsEmpty());
  auto page = page_of({"app"});
  put<std::uint16_t>(page, 12, 65535);
  EXPECT_THAT(database_names(page), ElementsAre("app"));
}

TEST(MappedFile, IsTheEntryOfTheCatalog) {
  std::string map(524, '\0');
  put<std::uint32_t>(map, 0, 0x592717);
  put<std::uint32_t>(map, 4, 2);
  put<std::uint32_t>(map, 8, 1260);
  put<std::uint32_t>(map, 12, 1260);
  put<std::uint32_t>(map, 16, 1262);
  put<std::uint32_t>(map, 20, 24576);
  EXPECT_EQ(mapped_file(map, 1262), 24576U);
  EXPECT_EQ(mapped_file(map, 1), std::nullopt);
  EXPECT_EQ(mapped_file("short", 1262), std::nullopt);
  put<std::uint32_t>(map, 4, 4000000000U);
  EXPECT_EQ(mapped_file(map, 1), std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
