#include "checks/table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/drill/check.hpp"

namespace pgrehearse {
namespace {

TEST(CheckTableTest, EveryRowIsCompleteAndListedOnce) {
  std::set<std::string_view> names;
  for (const auto& row : check_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is listed twice";
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_FALSE(row.finds.empty()) << row.name;
    EXPECT_NE(row.create, nullptr) << row.name;
    for (const auto& key : row.keys) {
      EXPECT_FALSE(key.summary.empty()) << row.name << "." << key.name;
      EXPECT_FALSE(key.example.empty()) << row.name << "." << key.name;
    }
  }
}

TEST(CheckTableTest, EveryCheckRunsInTheStateOfItsRow) {
  for (const auto& row : check_table()) {
    Settings settings;
    if (row.name == "query") {  // the only check that cannot be created without settings
      settings.set("expect", std::map<std::string, std::string>{{"rows", "1"}});
    }
    EXPECT_TRUE(row.create(settings)->runs_in(row.state)) << row.name;
  }
}

}  // namespace
}  // namespace pgrehearse
