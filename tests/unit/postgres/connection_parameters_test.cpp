#include "harness/postgres/connection_parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ConnectionParameters, AMalformedStringIsRefusedWithoutItsPassword) {
  for (const auto* dsn :
       {"host=db1 password=pass s3cret", "host=db1 password='pass s3cret",
        "host=db1 password=x s3cret=1", "postgresql://app:s3cret%zz@db1/shop",
        "postgresql://app:s3cret@[db1/shop", "postgresql://app@db1/shop?password=s3cret%00",
        "postgresql://app:s3cret@db1:x\"y/shop"}) {
    try {
      parse_dsn(dsn);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("s3cret"))) << dsn;
      EXPECT_THAT(error.hint(), Not(HasSubstr("s3cret"))) << dsn;
    }
  }
  EXPECT_THAT(error_of([] { parse_dsn("host=db1 password=pass s3cret"); }).what(),
              HasSubstr("missing"));
}

}  // namespace
}  // namespace pgrehearse
