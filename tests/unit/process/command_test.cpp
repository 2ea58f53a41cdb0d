#include "harness/process/command.hpp"

#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

TEST(CommandTest, TextQuotesArgumentsThatAShellWouldSplit) {
  EXPECT_EQ(to_text(Command{.program = "psql", .arguments = {"-c", "select 1", ""}}),
            "psql -c 'select 1' ''");
}

TEST(ThrowIfCancelledTest, CancelledCommandThrowsInterrupted) {
  try {
    throw_if_cancelled({.cancelled = true});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

TEST(ThrowIfCancelledTest, FailureAndTimeoutAreNotInterruptions) {
  EXPECT_NO_THROW(throw_if_cancelled({.exit_code = 1}));
  EXPECT_NO_THROW(throw_if_cancelled({.timed_out = true}));
}

}  // namespace
}  // namespace pgrehearse
