#include "checks/parsers/setting_value.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(SettingValueTest, SizesAndTimesCompareAcrossUnits) {
  const SettingType pages{.vartype = "integer", .unit = "8kB"};
  EXPECT_TRUE(same_setting("1GB", "1024MB", pages));
  EXPECT_TRUE(same_setting("131072", "1GB", pages));
  EXPECT_FALSE(same_setting("131071", "1GB", pages));
  const SettingType milliseconds{.vartype = "integer", .unit = "ms"};
  EXPECT_TRUE(same_setting("30s", "30000", milliseconds));
  EXPECT_TRUE(same_setting("0.5min", "30 s", milliseconds));
  EXPECT_FALSE(same_setting("30", "30s", milliseconds));
  EXPECT_FALSE(same_setting("30", "30 parsecs", milliseconds));
}

TEST(SettingValueTest, PlainNumbersOctalOnesAndSwitches) {
  const SettingType integer{.vartype = "integer"};
  EXPECT_TRUE(same_setting("0777", "511", integer));
  EXPECT_FALSE(same_setting("100", "500", integer));
  const SettingType real{.vartype = "real"};
  EXPECT_TRUE(same_setting("0.90", ".9", real));
  EXPECT_TRUE(same_setting("1.1e0", "1.1", real));
  const SettingType boolean{.vartype = "bool"};
  EXPECT_TRUE(same_setting("on", "TRUE", boolean));
  EXPECT_TRUE(same_setting("0", "no", boolean));
  EXPECT_FALSE(same_setting("on", "off", boolean));
}

TEST(SettingValueTest, EnumsIgnoreCaseAndTextsDoNot) {
  EXPECT_TRUE(same_setting("Replica", "replica", {.vartype = "enum"}));
  EXPECT_TRUE(same_setting("on", "true", {.vartype = "enum"}));
  EXPECT_FALSE(same_setting("replica", "logical", {.vartype = "enum"}));
  EXPECT_FALSE(same_setting("Shop", "shop", {.vartype = "string"}));
  EXPECT_FALSE(same_setting("1", "on", {.vartype = "string"}));
  EXPECT_TRUE(same_setting("eu", "eu", {}));
}

}  // namespace
}  // namespace pgrehearse
