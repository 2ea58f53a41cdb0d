#include "harness/common/poll_until.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// The kind of the error that `wait` throws, if it throws one.
std::optional<ErrorKind> error_of(const std::function<void()>& wait) {
  try {
    wait();
  } catch (const Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

TEST(WaitForTest, ReturnsTrueWhenTheTimeHasPassed) {
  const auto start = Clock::now();
  EXPECT_TRUE(wait_for(2ms, {}));
  EXPECT_GE(Clock::now() - start, 2ms);
}

TEST(WaitForTest, StopRequestEndsTheWait) {
  std::stop_source source;
  const std::jthread asker([&] { source.request_stop(); });
  EXPECT_FALSE(wait_for(1h, source.get_token()));
}

TEST(PollUntilTest, ReturnsAsSoonAsThePredicateIsTrue) {
  int calls = 0;
  EXPECT_TRUE(poll_until(Clock::now() + 1h, 1ms, {}, [&] { return ++calls == 3; }));
  EXPECT_EQ(calls, 3);
}

TEST(PollUntilTest, WaitsForTheIntervalBetweenCalls) {
  int calls = 0;
  const auto start = Clock::now();
  EXPECT_TRUE(poll_until(Clock::now() + 1h, 5ms, {}, [&] { return ++calls == 3; }));
  EXPECT_GE(Clock::now() - start, 10ms);
}

TEST(PollUntilTest, CallsThePredicateOnceWhenTheDeadlineHasAlreadyPassed) {
  int calls = 0;
  EXPECT_FALSE(poll_until(Clock::now() - 1s, 1min, {}, [&] { return ++calls == 0; }));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(poll_until(Clock::now() - 1s, 1min, {}, [] { return true; }));
}

TEST(PollUntilTest, DoesNotSleepPastTheDeadline) {
  const auto start = Clock::now();
  EXPECT_FALSE(poll_until(start + 10ms, 1min, {}, [] { return false; }));
  EXPECT_GE(Clock::now() - start, 10ms);
  EXPECT_LT(Clock::now() - start, 1min);
}

TEST(PollUntilTest, CallsThePredicateOnceMoreAtTheDeadline) {
  const auto deadline = Clock::now() + 10ms;
  EXPECT_TRUE(poll_until(deadline, 1min, {}, [&] { return Clock::now() >= deadline; }));
}

TEST(PollUntilTest, CallsThePredicateOnceMoreWhenTheDeadlinePassedDuringACall) {
  const auto deadline = Clock::now() + 10ms;
  int calls = 0;
  EXPECT_TRUE(poll_until(deadline, 1min, {}, [&] {
    if (++calls == 2) return true;
    std::this_thread::sleep_until(deadline);
    return false;
  }));
}

TEST(PollUntilTest, StopRequestBeforeTheFirstCallThrowsInterrupted) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(error_of([&] { poll_until({}, 1ms, source.get_token(), [] { return true; }); }),
            ErrorKind::interrupted);
}

TEST(PollUntilTest, StopRequestBetweenCallsThrowsInterrupted) {
  std::stop_source source;
  int calls = 0;
  const auto kind = error_of([&] {
    poll_until(Clock::now() + 100ms, 1ms, source.get_token(), [&] {
      ++calls;
      source.request_stop();
      return false;
    });
  });
  EXPECT_EQ(kind, ErrorKind::interrupted);
  EXPECT_EQ(calls, 1);
}

TEST(PollUntilTest, StopRequestEndsTheSleep) {
  std::stop_source source;
  std::jthread asker;
  const auto start = Clock::now();
  const auto kind = error_of([&] {
    poll_until(start + 1min, 1min, source.get_token(), [&] {
      asker = std::jthread([&] { source.request_stop(); });
      return false;
    });
  });
  EXPECT_EQ(kind, ErrorKind::interrupted);
  EXPECT_LT(Clock::now() - start, 1min);
}

}  // namespace
}  // namespace pgrehearse
