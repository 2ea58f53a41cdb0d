#include "harness/drill/objectives/data_loss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/scripted_server.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class DataLossTest : public testing::Test {
 protected:
  DataLossTest() {
    landing = {.timeline = 1, .time = started - 1h};
    identity = PrimaryIdentity{.system_identifier = 7, .timeline = 1, .member = "n1 (10.0.0.1)"};
    state = PrimaryState{.read_at = started, .snapshot = {.xmin = 750, .xmax = 750}};
    answer("740:745:", {"745", "746"});
  }

  // The copy's snapshot, and the transactions of the range that have committed on the primary; in
  // the copy none of them has.
  void answer(const std::string& copy, const std::vector<std::string>& committed) {
    std::vector<std::vector<Field>> rows;
    for (const auto& xid : committed) rows.push_back({xid});
    server.on("select txid_current_snapshot()", ScriptedServer::row({copy}));
    server.on_call("txid_status", [rows, on_primary = false](const std::string&) mutable {
      on_primary = !on_primary;
      return ScriptedServer::Answer(on_primary ? ScriptedServer::rows(rows) : Rows{});
    });
  }

  DataLoss measure() {
    return measure_data_loss({.target = target,
                              .backup = backup,
                              .landing = landing,
                              .drill_started = started,
                              .landed_at = started + 1min,
                              .primary = &primary,
                              .identity = identity,
                              .state = state,
                              .connect_copy = [] { return Connection::open({}, {}); }},
                             {});
  }

  ScriptedServer server;
  Primary primary{"host=/nowhere dbname=postgres"};
  Instant started = *parse_instant("2026-11-20 03:00:00+00");
  RecoveryTarget target;
  Backup backup{.system_identifier = 7};
  Landing landing;
  std::optional<PrimaryIdentity> identity;
  std::optional<PrimaryState> state;
};

TEST_F(DataLossTest, APrimaryThatCommittedNothingElseLosesNothing) {
  answer("750:750:", {});
  EXPECT_EQ(measure().measured({}), Seconds(0));
  landing.time.reset();
  EXPECT_EQ(measure().verdict(5s), Verdict::pass) << "no commit time is needed for that";
}

TEST_F(DataLossTest, TransactionsThatWereRolledBackAreNotLost) {
  answer("740:745:", {});
  EXPECT_EQ(measure().measured({}), Seconds(0));
}

TEST_F(DataLossTest, NewerCommitsAreLostUpToTheAgeOfTheNewestRecoveredOne) {
  EXPECT_EQ(measure().measured({}), Seconds(1h));
  state->newest_commit = started - 40min;
  EXPECT_EQ(measure().measured({}), Seconds(20min));
}

TEST_F(DataLossTest, TransactionsThatWereStillRunningWhenTheDrillStartedAreNotLost) {
  state->snapshot.running = {745, 746};
  EXPECT_EQ(measure().measured({}), Seconds(0));
}

TEST_F(DataLossTest, AnotherClusterOrTimelineIsNoEvidence) {
  answer("750:750:", {});
  identity->timeline = 2;
  EXPECT_EQ(measure().measured({}), Seconds(1h));
  identity->timeline = 1;
  identity->system_identifier = 8;
  EXPECT_EQ(measure().measured({}), Seconds(1h));
}

TEST_F(DataLossTest, AStandbyShowsOnlyALowerBound) {
  answer("750:750:", {});
  state->in_recovery = true;
  state->newest_commit = *landing.time;
  const auto loss = measure();
  EXPECT_EQ(loss.verdict(2h), Verdict::pass);
  EXPECT_EQ(loss.verdict(10min), Verdict::unknown);
  EXPECT_THAT(loss.explanation, HasSubstr("may lag behind the primary"));
  state->newest_commit = *landing.time + 15min;
  EXPECT_EQ(measure().verdict(10min), Verdict::fail);
  state->caught_up = true;
  EXPECT_EQ(measure().measured({}), Seconds(0));
}

TEST_F(DataLossTest, ACommitInTheFutureMakesTheLossUnknown) {
  answer("750:750:", {});
  landing.time = started + 2h;
  auto loss = measure();
  EXPECT_EQ(loss.verdict(24h), Verdict::unknown);
  EXPECT_THAT(loss.clock, HasSubstr("the clock of the primary was ahead and has been set back"));
  state->clock_ahead = 2h;
  loss = measure();
  EXPECT_EQ(loss.verdict(24h), Verdict::unknown);
  EXPECT_THAT(loss.clock, HasSubstr("the clock of the primary (n1 (10.0.0.1)) is 2h 0min fast"));
  // Committed while the backup was being restored.
  landing.time = started + 30s;
  state->clock_ahead = 0s;
  EXPECT_EQ(measure().measured({}), Seconds(0));
}

TEST_F(DataLossTest, ANewestCommitInTheFutureOrBeforeTheRecoveredOneMakesTheLossUnknown) {
  state->newest_commit = started + 2h;
  EXPECT_EQ(measure().verdict(24h), Verdict::unknown);
  state->newest_commit = *landing.time - 10min;
  const auto loss = measure();
  EXPECT_EQ(loss.verdict(24h), Verdict::unknown);
  EXPECT_THAT(loss.clock, HasSubstr("its clock was set back"));
}

TEST_F(DataLossTest, ADifferenceOfClocksCountsOnlyWhereItCouldDecide) {
  state->clock_ahead = -10min;
  EXPECT_EQ(measure().verdict(2h), Verdict::pass);
  EXPECT_EQ(measure().verdict(30min), Verdict::fail);
  EXPECT_EQ(measure().verdict(55min), Verdict::unknown);
  EXPECT_THAT(measure().clock, HasSubstr("is 10min 0s slow compared with"));
}

TEST_F(DataLossTest, NothingIsLostBeforeATargetThatALaterCommitFollows) {
  target = {.type = TargetType::time, .time = started - 30min};
  EXPECT_EQ(measure().measured({}), Seconds(30min));
  landing.first_withheld = TransactionMark{.time = started - 29min};
  EXPECT_EQ(measure().measured({}), Seconds(0));
}

}  // namespace
}  // namespace pgrehearse
