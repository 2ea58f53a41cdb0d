#include "checks/parsers/expectation.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using Stated = std::map<std::string, std::string>;

Rows one(Field value) { return {.columns = {"value"}, .rows = {{std::move(value)}}}; }

bool holds(const Stated& stated, const Rows& rows) { return !Expectation(stated).mismatch(rows); }

TEST(ExpectationTest, ComparesAsPeopleMeanIt) {
  EXPECT_TRUE(holds({{"", "true"}}, one("t")));
  EXPECT_TRUE(holds({{"", "f"}}, one("false")));
  EXPECT_FALSE(holds({{"", "true"}}, one("f")));
  EXPECT_TRUE(holds({{"", "42"}}, one("42.000")));
  EXPECT_TRUE(holds({{"", "1e3"}}, one("1000")));
  EXPECT_FALSE(holds({{"", "42"}}, one("43")));
  EXPECT_TRUE(holds({{"equals", "shipped"}}, one("shipped")));
  EXPECT_FALSE(holds({{"equals", "shipped"}}, one("Shipped")));
  EXPECT_FALSE(holds({{"equals", "1"}}, one("t")));
}

TEST(ExpectationTest, KeepsTheLastDigitOfBigIntegers) {
  EXPECT_FALSE(holds({{"", "9007199254740993"}}, one("9007199254740992")));
  EXPECT_TRUE(holds({{"", "9007199254740993"}}, one("9007199254740993")));
}

TEST(ExpectationTest, LimitsAreNumbersOrPointsInTime) {
  EXPECT_TRUE(holds({{"at_least", "10"}, {"at_most", "20"}}, one("10")));
  EXPECT_FALSE(holds({{"at_least", "10"}, {"at_most", "20"}}, one("20.5")));
  EXPECT_FALSE(holds({{"at_least", "10"}}, one("9")));
  EXPECT_TRUE(holds({{"at_least", "9"}}, one("10")));  // not as texts
  EXPECT_TRUE(holds({{"at_least", "2026-11-20"}}, one("2026-11-20 00:00:00+00")));
  EXPECT_FALSE(holds({{"at_least", "2026-11-20 03:00:00+00"}}, one("2026-11-20 03:00:00+01")));
  EXPECT_FALSE(holds({{"at_least", "10"}}, one("many")));
  EXPECT_FALSE(holds({{"at_least", "10"}}, one("inf")));
}

TEST(ExpectationTest, NullIsOnlyNull) {
  EXPECT_TRUE(holds({{"", "null"}}, one(std::nullopt)));
  EXPECT_FALSE(holds({{"", "0"}}, one(std::nullopt)));
  EXPECT_FALSE(holds({{"at_most", "10"}}, one(std::nullopt)));
  EXPECT_FALSE(holds({{"matches", ".*"}}, one(std::nullopt)));
}

TEST(ExpectationTest, NoRowsAreNotAValue) {
  const Rows none{.columns = {"value"}};
  EXPECT_TRUE(holds({{"", "no rows"}}, none));
  EXPECT_TRUE(holds({{"rows", "0"}}, none));
  EXPECT_FALSE(holds({{"", "0"}}, none));
  EXPECT_FALSE(holds({{"", "no rows"}}, one("0")));
  EXPECT_TRUE(holds({{"equals", "no rows"}}, one("no rows")));  // a value spelt like it
  EXPECT_TRUE(holds({{"rows", "1"}, {"matches", "^v[0-9]+$"}}, one("v15")));
  EXPECT_FALSE(holds({{"rows", "2"}, {"matches", "^v[0-9]+$"}}, one("v15")));
}

TEST(ExpectationTest, RejectsInvalidExpectations) {
  const auto kind_of = [](const Stated& stated) {
    try {
      const Expectation expectation(stated);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  EXPECT_EQ(kind_of({}), ErrorKind::usage);
  EXPECT_EQ(kind_of({{"at_least", "many"}}), ErrorKind::usage);
  EXPECT_EQ(kind_of({{"matches", "("}}), ErrorKind::usage);
  EXPECT_EQ(kind_of({{"rows", "-1"}}), ErrorKind::usage);
}

}  // namespace
}  // namespace pgrehearse
