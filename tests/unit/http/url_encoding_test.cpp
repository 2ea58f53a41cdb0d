#include "harness/http/url_encoding.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(UrlEncodingTest, EncodesReservedCharactersAndBytes) {
  EXPECT_EQ(url_encoded("a-b_c.d~9"), "a-b_c.d~9");
  EXPECT_EQ(url_encoded("a/b?{\"c\"}"), "a%2Fb%3F%7B%22c%22%7D");
  EXPECT_EQ(url_encoded("\xc3\xa9"), "%C3%A9");
}

}  // namespace
}  // namespace pgrehearse
