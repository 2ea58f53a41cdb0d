#include "harness/common/text.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(Text, NearestFindsAnExchangedLetterAndRefusesFarWords) {
  const std::vector<std::string> names{"amcheck", "page_checksums", "query"};
  EXPECT_EQ(nearest("amchek", names), "amcheck");
  EXPECT_EQ(nearest("page_checksum", names), "page_checksums");
  EXPECT_EQ(nearest("banana", names), std::nullopt);
}

TEST(Text, QuoteSettingDoublesQuotesAndBackslashes) {
  EXPECT_EQ(quote_setting(R"(a'b\c)"), R"('a''b\\c')");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
}

}  // namespace
}  // namespace pgrehearse
