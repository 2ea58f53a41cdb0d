#include "checks/parsers/recorded_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::HasSubstr;

std::string message_of(const std::string& text) {
  try {
    parse_recorded_counts(text, "counts.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(RecordedCountsTest, ReadsCountsByDatabaseAndTable) {
  const auto counts = parse_recorded_counts(
      R"({"shop": {"public.orders": 12, "public.\"Order Lines\"": 0}, "crm": {}})", "counts.json");
  EXPECT_EQ(counts.at("shop").tables.at("public.orders").rows, 12);
  EXPECT_EQ(counts.at("shop").tables.at("public.\"Order Lines\"").rows, 0);
  EXPECT_TRUE(counts.at("crm").tables.empty());
}

TEST(RecordedCountsTest, NamesFileAndPositionOfAnError) {
  EXPECT_THAT(message_of("{"), HasSubstr("counts.json: invalid JSON"));
  EXPECT_THAT(message_of("1e9999"), HasSubstr("counts.json: a number is too large"));
  EXPECT_THAT(message_of("[]"), HasSubstr("no database"));
  EXPECT_THAT(message_of("{}"), HasSubstr("no database"));
  EXPECT_THAT(message_of(R"({"shop": 3})"), HasSubstr("database shop"));
  for (const auto* value : {"-1", "\"12\"", "1.5", "null"}) {
    EXPECT_THAT(message_of(std::string(R"({"shop": {"public.orders": )") + value + "}}"),
                HasSubstr("shop.public.orders"))
        << value;
  }
}

TEST(RecordedCountsTest, NamesAMissingFile) {
  try {
    read_recorded_counts("/nonexistent/counts.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/counts.json"));
  }
}

}  // namespace
}  // namespace pgrehearse
