// What every ledger promises (harness/history/ledger.hpp), with SQLite and with PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "harness/common/error.hpp"
#include "tests/contract/history/ledger_fixture.hpp"
#include "tests/fakes/sample_rows.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> ids_of(const std::vector<LedgerRow>& rows) {
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  return ids;
}

TEST_P(LedgerContract, ADrillIsARowFromItsStartOn) {
  auto ledger = open();
  const auto row = started_row("weekly", 1);
  EXPECT_EQ(ledger.last_sequence(), 0U);
  ASSERT_TRUE(ledger.start(row));
  EXPECT_EQ(open().last_sequence(), 1U);
  EXPECT_EQ(open().find(row.id), row);
  EXPECT_EQ(open().find("unknown"), std::nullopt);

  const auto passed = passed_row("weekly", 1);
  ledger.finish(passed);
  EXPECT_EQ(open().last_sequence(), 2U);
  EXPECT_EQ(open().find(row.id), passed);
  EXPECT_EQ(open().count(), 1U);
}

TEST_P(LedgerContract, TextThatADatabaseRefusesIsStored) {
  auto row = started_row("weekly", 1);
  row.diagnosis = std::string("nul \0", 5) + ", invalid \xFF, quote ' and \\ and \xC3\xA4";
  ASSERT_TRUE(open().start(row));
  EXPECT_EQ(open().find(row.id)->diagnosis,
            "nul \uFFFD, invalid \uFFFD, quote ' and \\ and \xC3\xA4");
}

TEST_P(LedgerContract, ADueDrillIsStartedOnce) {
  auto ledger = open();
  auto row = started_row("weekly", 1);
  row.due = row.started;
  ASSERT_TRUE(ledger.start(row));

  auto again = started_row("weekly", 2);
  again.due = row.due;
  EXPECT_FALSE(open().start(again));
  EXPECT_EQ(open().find(again.id), std::nullopt);
  EXPECT_EQ(open().last_due("weekly")->id, row.id);

  again.attempt = 2;
  EXPECT_TRUE(open().start(again));
  EXPECT_EQ(open().last_due("weekly")->id, again.id);
  EXPECT_EQ(open().last_due("other"), std::nullopt);
}

TEST_P(LedgerContract, ListsFilterAndSortByStart) {
  auto ledger = open();
  for (int hour = 1; hour <= 3; ++hour) {
    ASSERT_TRUE(ledger.start(started_row("weekly", hour)));
    ledger.finish(hour == 2 ? failed_row("weekly", hour) : passed_row("weekly", hour));
  }
  auto other = started_row("daily", 4);
  other.stanza = "billing";
  ASSERT_TRUE(ledger.start(other));

  const auto id = [](int hour) { return started_row("weekly", hour).id; };
  EXPECT_THAT(ids_of(ledger.list()), ElementsAre(other.id, id(3), id(2), id(1)));
  EXPECT_THAT(ids_of(ledger.list({.limit = 2})), ElementsAre(other.id, id(3)));
  EXPECT_THAT(ids_of(ledger.list({.scenario = "weekly"})), ElementsAre(id(3), id(2), id(1)));
  EXPECT_THAT(ids_of(ledger.list({.stanza = "billing"})), ElementsAre(other.id));
  EXPECT_THAT(ids_of(ledger.list({.host = "elsewhere"})), IsEmpty());
  EXPECT_THAT(ids_of(ledger.list({.verdict = Verdict::fail})), ElementsAre(id(2)));
  EXPECT_THAT(ids_of(ledger.list({.verdict = Verdict::unknown})), IsEmpty());
  EXPECT_THAT(ids_of(ledger.list({.state = DrillState::running})), ElementsAre(other.id));
  EXPECT_THAT(ids_of(ledger.list({.since = started_row("weekly", 2).started,
                                  .until = started_row("weekly", 3).started})),
              ElementsAre(id(2)));
  EXPECT_EQ(ledger.newest_pass({.scenario = "weekly"})->id, id(3));
  EXPECT_EQ(ledger.newest_pass({.scenario = "daily"}), std::nullopt);
  EXPECT_EQ(ledger.newest({})->id, other.id);
  EXPECT_EQ(ledger.count({.scenario = "weekly"}), 3U);
  EXPECT_THAT(ids_of(ledger.newest_of_each_scenario()), ElementsAre(other.id, id(3)));
  EXPECT_THAT(ids_of(ledger.newest_finished_of_each_scenario()), ElementsAre(id(3)));
  EXPECT_THAT(ids_of(ledger.newest_pass_of_each_scenario()), ElementsAre(id(3)));
}

TEST_P(LedgerContract, TrendsAreOldestFirstAndOfFinishedDrills) {
  auto ledger = open();
  for (int hour = 1; hour <= 3; ++hour) {
    ASSERT_TRUE(ledger.start(started_row("weekly", hour)));
    if (hour < 3) ledger.finish(passed_row("weekly", hour));
  }
  const auto points = ledger.trend({.stanza = "orders"});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points.front().id, started_row("weekly", 1).id);
  EXPECT_EQ(points.front().rto, std::chrono::milliseconds(265270));
  EXPECT_NEAR(points.front().restore_rate.value(), 4939212390 / 201.8, 1);
  EXPECT_NEAR(points.front().replay_rate.value(), (0xD4000A8 - 0x9000028) / 63.47, 1);
}

TEST_P(LedgerContract, AStanzaIsLockedByOneAtATime) {
  auto ledger = open();
  auto other = open();
  EXPECT_FALSE(ledger.is_stanza_locked("orders"));
  {
    const auto lock = ledger.try_lock_stanza("orders");
    ASSERT_TRUE(lock);
    EXPECT_TRUE(other.is_stanza_locked("orders"));
    EXPECT_FALSE(other.try_lock_stanza("orders"));
    EXPECT_TRUE(other.try_lock_stanza("billing"));
  }
  EXPECT_FALSE(other.is_stanza_locked("orders"));
  EXPECT_TRUE(other.try_lock_stanza("orders"));
}

TEST_P(LedgerContract, ALockEndsWithItsProcess) {
  const auto held = fork_with([this] {
    auto ledger = open();
    const auto lock = ledger.try_lock_stanza("orders");
    if (lock && ledger.start(started_row("weekly", 1))) report_ready();
    pause();
  });
  auto ledger = open();
  EXPECT_FALSE(ledger.try_lock_stanza("orders"));
  EXPECT_EQ(ledger.running().size(), 1U);
  EXPECT_THAT(ledger.record_killed(started_row("weekly", 2).started), IsEmpty());

  kill(held, SIGKILL);
  waitpid(held, nullptr, 0);
  wait_until([&] { return !ledger.is_stanza_locked("orders"); });
  EXPECT_THAT(ledger.running(), IsEmpty());
  const auto killed = ledger.record_killed(started_row("weekly", 2).started);
  ASSERT_EQ(killed.size(), 1U);
  EXPECT_EQ(killed.front().state, DrillState::killed);
  EXPECT_EQ(killed.front().verdict, Verdict::unknown);
  EXPECT_THAT(ledger.record_killed(started_row("weekly", 3).started), IsEmpty());
}

TEST_P(LedgerContract, WritersOnSeveralConnectionsKeepTheChainLinear) {
  constexpr int writers = 4;
  constexpr int drills = 15;
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([this, writer] {
        auto ledger = open();
        const auto name = "scenario" + std::to_string(writer);
        for (int hour = 0; hour < drills; ++hour) {
          EXPECT_TRUE(ledger.start(started_row(name, hour)));
          ledger.finish(passed_row(name, hour));
        }
      });
    }
  }
  auto ledger = open();
  std::string previous(64, '0');
  std::uint64_t sequence = 0;
  ledger.for_each_entry([&](const LedgerEntry& entry) {
    EXPECT_EQ(entry.sequence, ++sequence);
    EXPECT_EQ(entry.previous, previous);
    EXPECT_EQ(entry.hash, hash_of_entry(entry.previous, entry.payload));
    previous = entry.hash;
  });
  EXPECT_EQ(sequence, 2U * writers * drills);
  EXPECT_EQ(ledger.count({.verdict = Verdict::pass}), std::size_t{writers} * drills);
}

TEST_P(LedgerContract, AFailedWriteLeavesNothing) {
  auto ledger = open();
  ASSERT_TRUE(ledger.start(started_row("weekly", 1)));
  auto database = open_database();
  EXPECT_THROW(database->write([&] {
    database->query("delete from entries");
    throw Error(ErrorKind::environment, "no space");
  }),
               Error);
  EXPECT_EQ(database->query("select count(*) from entries").text(0, 0), "1");
}

TEST_P(LedgerContract, ALedgerOfANewerProgramIsRefused) {
  { const auto created = open(); }
  open_database()->query("insert into ledger_version values (99)");
  try {
    const auto opened = open();
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.what(), testing::HasSubstr("newer pgrehearse"));
  }
}

INSTANTIATE_TEST_SUITE_P(Databases, LedgerContract, testing::Values("sqlite", "postgres"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace pgrehearse
