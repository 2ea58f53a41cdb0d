#include "harness/common/stoppable_wait.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace pgrehearse {
namespace {

TEST(StoppableWaitTest, TheTimePasses) { EXPECT_TRUE(wait_for(std::chrono::milliseconds(1), {})); }

TEST(StoppableWaitTest, AStopRequestEndsIt) {
  std::stop_source source;
  std::jthread asker([&] { source.request_stop(); });
  EXPECT_FALSE(wait_for(std::chrono::hours(1), source.get_token()));
}

}  // namespace
}  // namespace pgrehearse
