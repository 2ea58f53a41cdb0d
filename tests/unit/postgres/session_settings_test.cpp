#include "harness/postgres/session_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(SessionSettings, DependOnTheVersion) {
  EXPECT_THAT(copy_session_options(13),
              AllOf(Not(HasSubstr("idle_session_timeout")), Not(HasSubstr("event_triggers"))));
  EXPECT_THAT(copy_session_options(14),
              AllOf(HasSubstr("idle_session_timeout=0"), Not(HasSubstr("transaction_timeout=0"))));
  EXPECT_THAT(copy_session_options(17),
              AllOf(HasSubstr("-c transaction_timeout=0"), HasSubstr("-c event_triggers=off")));
}

// The server refuses a session without the superuser's rights that sets one of these.
TEST(SessionSettings, ALoginForQueriesSetsNothingThatOnlyASuperuserMay) {
  const auto options = query_session_options(17);
  for (const auto& [name, value] : restricted_query_settings()) {
    EXPECT_THAT(options, Not(HasSubstr(std::string(name)))) << value;
  }
  EXPECT_THAT(options,
              AllOf(HasSubstr("default_transaction_read_only=on"),
                    Not(HasSubstr("session_replication_role")), Not(HasSubstr("event_triggers"))));
}

TEST(SessionSettings, ValuesAreEscapedForLibpq) {
  EXPECT_EQ(escaped_option("read committed"), "read\\ committed");
  EXPECT_EQ(escaped_option("a\\b"), "a\\\\b");
}

}  // namespace
}  // namespace pgrehearse
