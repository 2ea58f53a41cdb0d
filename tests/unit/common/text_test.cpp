#include "harness/common/text.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(TextTest, NearestFindsASimilarWordAndNoDistantOne) {
  const std::vector<std::string> names{"amcheck", "page_checksums", "query"};
  EXPECT_EQ(nearest("amchek", names), "amcheck");
  EXPECT_EQ(nearest("page_checksum", names), "page_checksums");
  EXPECT_EQ(nearest("banana", names), std::nullopt);
}

TEST(TextTest, NearestAcceptsSwappedLettersAndPrefixes) {
  const std::vector<std::string> names{"run", "version", "fingerprint"};
  EXPECT_EQ(nearest("rnu", names), "run");
  EXPECT_EQ(nearest("nur", names), std::nullopt);
  EXPECT_EQ(nearest("ver", names), "version");
  EXPECT_EQ(nearest("fi", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
}

TEST(TextTest, QuoteSettingDoublesQuotesAndBackslashes) {
  EXPECT_EQ(quote_setting(R"(a'b\c)"), R"('a''b\\c')");
}

TEST(TextTest, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
}

}  // namespace
}  // namespace pgrehearse
