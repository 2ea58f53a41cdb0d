#include "harness/common/units.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;

TEST(UnitsTest, InstantsAcceptBothFormatsAndRequireAZone) {
  const auto instant = parse_instant("2026-11-20T03:00:00Z");
  ASSERT_TRUE(instant);
  EXPECT_EQ(parse_instant("2026-11-20 03:00:00+00"), instant);
  EXPECT_EQ(parse_instant("2026-11-20 08:30:00+05:30"), instant);
  EXPECT_EQ(parse_instant("2026-11-19 22:00:00-05"), instant);
  EXPECT_EQ(parse_instant("2026-11-20 03:00:00.25 UTC"), *instant + 250ms);
  EXPECT_EQ(to_postgres_timestamp(*instant), "2026-11-20 03:00:00.000000+00");
  for (const auto* wrong :
       {"2026-11-20 03:00:00", "2026-02-30 03:00:00Z", "2026-11-20 25:00:00Z", "", "Z"}) {
    EXPECT_FALSE(parse_instant(wrong)) << wrong;
  }
}

TEST(UnitsTest, InstantsOutsideTheClocksRangeAreRejected) {
  EXPECT_TRUE(parse_instant("2261-12-31 23:59:59Z"));
  EXPECT_FALSE(parse_instant("0202-11-20 03:00:00Z"));
  EXPECT_FALSE(parse_instant("9999-11-20 03:00:00Z"));
}

TEST(UnitsTest, ParsesAndPrintsSizes) {
  EXPECT_EQ(parse_bytes("2GB"), Bytes{std::uint64_t{2} << 30});
  EXPECT_EQ(parse_bytes("64 kB"), Bytes{65536});
  EXPECT_EQ(parse_bytes("1024"), Bytes{1024});
  for (const auto* wrong : {"2G", "-1", "GB", "", "9999999999TB"})
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

TEST(UnitsTest, ParsesAndPrintsDurations) {
  EXPECT_EQ(parse_duration("1h30min"), 90min);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  for (const auto* wrong : {"30", "min", "", "1h30", "99999999d"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
}

}  // namespace
}  // namespace pgrehearse
