#include "checks/replica/standby_progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class StandbyProgressTest : public testing::Test {
 protected:
  StandbyProgress wait(std::chrono::milliseconds timeout = std::chrono::milliseconds(1)) {
    return wait_for_standby(view, Lsn{100}, timeout, {});
  }
  FindingCode failure(std::chrono::milliseconds timeout = std::chrono::milliseconds(1)) {
    const auto progress = wait(timeout);
    return progress.failure ? progress.failure->code : FindingCode::none;
  }

  bool ended = false;
  std::optional<StandbyState> state;
  std::vector<std::string> lines;
  std::optional<std::string> refusal;
  StandbyView view{.ended = [this] { return ended; },
                   .state = [this] { return state; },
                   .log_lines = [this] { return lines; },
                   .refusal = [this] { return refusal; },
                   .longest_refusal = std::chrono::milliseconds(300)};
};

TEST_F(StandbyProgressTest, CaughtUpMeansStreamingAtOrPastTheTarget) {
  state = StandbyState{.streaming = true, .replayed = Lsn{100}};
  const auto progress = wait();
  EXPECT_FALSE(progress.failure);
  EXPECT_EQ(progress.replayed, Lsn{100});
  state = StandbyState{.streaming = true, .replayed = Lsn{99}};
  EXPECT_EQ(failure(), FindingCode::replica_behind);
  state = StandbyState{.streaming = false, .replayed = Lsn{100}};
  EXPECT_EQ(failure(), FindingCode::replica_behind) << "from the archive only";
  state.reset();
  EXPECT_EQ(failure(), FindingCode::replica_behind);
}

TEST_F(StandbyProgressTest, AStandbyThatEndsIsReportedWithItsError) {
  ended = true;
  lines = {"x FATAL:  could not restore file \"0000000A\""};
  const auto progress = wait(std::chrono::hours(1));
  ASSERT_TRUE(progress.failure);
  EXPECT_EQ(progress.failure->code, FindingCode::replica_start);
  EXPECT_THAT(progress.failure->message, HasSubstr("could not restore file"));
  lines = {"x PANIC:  could not write to file \"pg_wal/xlogtemp.1\": No space left on device"};
  EXPECT_EQ(failure(), FindingCode::env_disk_full);
}

TEST_F(StandbyProgressTest, WalThatThePrimaryRemovedIsFinalAfterThreeAttempts) {
  const std::string removed =
      "x FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment "
      "000000010000000000000005 has already been removed";
  lines = {removed, removed, removed};
  const auto progress = wait(std::chrono::hours(1));
  ASSERT_TRUE(progress.failure);
  EXPECT_EQ(progress.failure->code, FindingCode::replica_stream);
  EXPECT_THAT(progress.failure->message, HasSubstr("has already been removed"));
  lines = {removed};
  EXPECT_EQ(failure(), FindingCode::replica_stream) << "and the time is over";
}

TEST_F(StandbyProgressTest, ARefusalIsNoEvidenceAgainstTheBackup) {
  refusal = "must be superuser or replication role to start walsender";
  const auto progress = wait(std::chrono::seconds(40));
  ASSERT_TRUE(progress.failure);
  EXPECT_EQ(progress.failure->code, FindingCode::replica_refused);
  EXPECT_EQ(severity_of(*progress.failure), Severity::unknown);
  EXPECT_THAT(progress.failure->message, HasSubstr("replication role"));
}

}  // namespace
}  // namespace pgrehearse
