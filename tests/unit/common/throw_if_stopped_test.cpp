#include "harness/common/throw_if_stopped.hpp"

#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

TEST(ThrowIfStoppedTest, ThrowsNothingBeforeAStopRequest) {
  const std::stop_source source;
  EXPECT_NO_THROW(throw_if_stopped(source.get_token()));
  EXPECT_NO_THROW(throw_if_stopped({}));
}

TEST(ThrowIfStoppedTest, ThrowsInterruptedAfterAStopRequest) {
  std::stop_source source;
  source.request_stop();
  try {
    throw_if_stopped(source.get_token());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace pgrehearse
