// What the scheduler decides, with a simulated clock.
#include "harness/serve/scheduler.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "tests/fakes/thrown_error.hpp"
#include "tests/unit/serve/scheduler_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(SchedulerTest, StartsADrillWhenItIsDue) {
  add("orders", "0 3 * * *");
  restart();
  EXPECT_EQ(scenario("orders").next_start, at("2026-01-01 03:00:00+00"));
  step_until(at("2026-01-01 02:59:59+00"), 60s);
  EXPECT_THAT(drills_->commands, IsEmpty());
  now_ += 1s;
  scheduler_->step();
  EXPECT_THAT(drills_->running(), ElementsAre("orders"));
  EXPECT_EQ(scenario("orders").running.value_or(RunningDrill{}).due, now_);
  EXPECT_THAT(drills_->commands.front(), testing::Contains("--if-due"));
  step_until(at("2026-01-02 02:00:00+00"), 60s);
  EXPECT_THAT(history("orders"), ElementsAre("pass 2026-01-01T03:00 1"));
  EXPECT_EQ(scenario("orders").next_start, at("2026-01-02 03:00:00+00"));
  EXPECT_EQ(scenario("orders").last.value_or(LastDrill{}).verdict, Verdict::pass);
}

TEST_F(SchedulerTest, ANewScheduleMissesNothing) {
  now_ = at("2026-01-01 12:00:00+00");
  add("orders", "0 3 * * *");
  restart();
  step_until(at("2026-01-02 02:59:00+00"), 600s);
  EXPECT_THAT(history("orders"), IsEmpty());
  // A changed schedule is a new one.
  add("orders", "0 1 * * *");
  scheduler_->step();
  step_until(at("2026-01-03 00:59:00+00"), 600s);
  EXPECT_THAT(history("orders"), IsEmpty());
}

TEST_F(SchedulerTest, MissedDrillsAreCaughtUpOnce) {
  add("orders", "0 3 * * *");
  restart();
  now_ = at("2026-01-20 12:00:00+00");
  restart();
  step_until(now_ + 2h, 60s);
  EXPECT_THAT(history("orders"), ElementsAre("pass 2026-01-20T03:00 1"));
}

TEST_F(SchedulerTest, AnUnknownDrillIsRepeatedWithBackOff) {
  add("orders", "0 3 1 * *");
  now_ = at("2026-02-01 02:00:00+00");
  restart();
  drills_->verdict = Verdict::unknown;
  step_until(at("2026-02-02 00:00:00+00"), 60s);
  EXPECT_THAT(history("orders"),
              ElementsAre("unknown 2026-02-01T03:00 1", "unknown 2026-02-01T03:00 2",
                          "unknown 2026-02-01T03:00 3", "unknown 2026-02-01T03:00 4"));
  const auto rows = ledger_.list({.scenario = "orders"});
  EXPECT_GE(rows[2].started - *rows[3].finished, 10min);
  EXPECT_GE(rows[1].started - *rows[2].finished, 1h);
  EXPECT_GE(rows[0].started - *rows[1].finished, 6h);
  EXPECT_LE(rows[0].started - *rows[1].finished, 6h + 2min);
}

TEST_F(SchedulerTest, AFailIsNeverRepeated) {
  add("orders", "0 3 1 * *");
  now_ = at("2026-02-01 02:00:00+00");
  restart();
  drills_->verdict = Verdict::fail;
  step_until(at("2026-02-10 00:00:00+00"), 600s);
  EXPECT_THAT(history("orders"), ElementsAre("fail 2026-02-01T03:00 1"));
}

TEST_F(SchedulerTest, AKilledDrillIsRecordedAndRepeated) {
  add("orders", "0 3 1 * *");
  now_ = at("2026-02-01 02:59:00+00");
  restart();
  step_until(at("2026-02-01 03:00:00+00"), 30s);
  drills_->kill(drills_->run_id_of("orders"));
  step_until(at("2026-02-02 00:00:00+00"), 30s);
  EXPECT_THAT(history("orders"),
              ElementsAre("killed 2026-02-01T03:00 1", "pass 2026-02-01T03:00 2"));
}

TEST_F(SchedulerTest, OneDrillPerStanzaAtATime) {
  add("full", "0 3 * * *", "UTC", "orders");
  add("quick", "0 3 * * *", "UTC", "orders");
  add("billing", "0 3 * * *");
  now_ = at("2026-01-01 02:59:00+00");
  restart();
  // The sizes are known from the second day on.
  step_until(at("2026-01-02 02:59:30+00"), 60s);
  step_until(at("2026-01-02 03:00:30+00"), 30s);
  EXPECT_THAT(drills_->running(), testing::UnorderedElementsAre("billing", "full"));
  EXPECT_THAT(scenario("quick").waiting_for,
              HasSubstr("another drill of stanza orders is running (full)"));
  step_until(at("2026-01-02 03:01:30+00"), 30s);
  EXPECT_THAT(drills_->running(), ElementsAre("quick"));
  step_until(at("2026-01-02 03:10:00+00"), 30s);
  EXPECT_THAT(history("quick"), ElementsAre("pass 2026-01-01T03:00 1", "pass 2026-01-02T03:00 1"));
  EXPECT_EQ(scenario("quick").waiting_for, "");
}

TEST_F(SchedulerTest, ADrillOfAnotherHostHoldsTheStanza) {
  add("orders", "0 3 * * *");
  now_ = at("2026-01-01 02:59:00+00");
  restart();
  Ledger other(std::make_unique<SqliteDatabase>(state()));
  auto lock = other.try_lock_stanza("orders");
  ASSERT_TRUE(other.start(
      {.id = "other", .scenario = "by-hand", .stanza = "orders", .host = "db2", .started = now_}));
  step_until(at("2026-01-01 03:05:00+00"), 30s);
  EXPECT_THAT(drills_->commands, IsEmpty());
  EXPECT_EQ(scenario("orders").waiting_for,
            "another drill of stanza orders is running on db2 (by-hand)");
  lock.reset();
  step_until(at("2026-01-01 03:10:00+00"), 30s);
  EXPECT_THAT(history("orders"), ElementsAre("pass 2026-01-01T03:00 1"));
  EXPECT_THAT(history("by-hand"), ElementsAre("killed by hand 1"));
}

TEST_F(SchedulerTest, TheBudgetOfTheHostIsKept) {
  budget_.drills = 2;
  for (const auto* name : {"a", "b", "c"}) add(name, "0 3 * * *");
  now_ = at("2026-01-01 02:59:00+00");
  restart();
  // Their sizes are not known: one at a time.
  step_until(at("2026-01-01 03:00:00+00"), 30s);
  EXPECT_THAT(drills_->running(), ElementsAre("a"));
  EXPECT_EQ(scenario("b").waiting_for,
            "its first drill runs alone, as its size is not known; a, also new, is running");
  step_until(at("2026-01-01 12:00:00+00"), 30s);
  EXPECT_THAT(history("c"), SizeIs(1));
  step_until(at("2026-01-02 03:00:00+00"), 30s);
  EXPECT_THAT(drills_->running(), testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(scenario("c").waiting_for, "2 drills running (--max-drills 2)");
}

TEST_F(SchedulerTest, ASuccessorFindsWhatIsRunning) {
  add("orders", "0 3 * * *");
  now_ = at("2026-01-01 02:59:00+00");
  restart();
  drills_->duration = 3600s;
  step_until(at("2026-01-01 03:00:00+00"), 30s);
  restart();
  step_until(at("2026-01-01 03:30:00+00"), 30s);
  EXPECT_THAT(drills_->commands, SizeIs(1));
  EXPECT_TRUE(scenario("orders").running);
  step_until(at("2026-01-01 05:00:00+00"), 30s);
  EXPECT_THAT(history("orders"), ElementsAre("pass 2026-01-01T03:00 1"));
}

TEST_F(SchedulerTest, ABadFileLeavesThePreviousVersionInForce) {
  add("orders", "0 3 * * *");
  restart();
  const auto good = scenario("orders").file;
  write("orders.yaml", "name: orders\nrepository: { stanz: orders }\n");
  scheduler_->step();
  auto errors = scheduler_->snapshot().errors;
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0].previous_version_of, "orders");
  EXPECT_THAT(errors[0].messages, testing::Contains(HasSubstr("unknown key 'stanz'")));
  // Also after a restart; the drill reads the copy.
  restart();
  EXPECT_THAT(scheduler_->snapshot().errors, SizeIs(1));
  step_until(at("2026-01-01 03:01:00+00"), 60s);
  ASSERT_THAT(drills_->commands, SizeIs(1));
  EXPECT_EQ(drills_->commands[0][1], (state() / "serve/scenarios/orders.yaml").string());
  add("orders", "0 5 * * *");
  scheduler_->step();
  EXPECT_THAT(scheduler_->snapshot().errors, IsEmpty());
  EXPECT_EQ(scenario("orders").next_start, at("2026-01-01 05:00:00+00"));
  step_until(at("2026-01-01 05:01:00+00"), 60s);
  EXPECT_EQ(drills_->commands.back()[1], good.string());
  std::filesystem::remove(good);
  scheduler_->step();
  EXPECT_THAT(scheduler_->snapshot().scenarios, IsEmpty());
}

TEST_F(SchedulerTest, ANameBelongsToOneFile) {
  add("a", "0 3 * * *");
  write("b.yaml", "name: a\nrepository: { stanza: b }\n");
  restart();
  EXPECT_THAT(scheduler_->snapshot().scenarios, SizeIs(1));
  const auto errors = scheduler_->snapshot().errors;
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].messages[0], HasSubstr("the scenario 'a' is already defined in"));
  std::filesystem::remove(root_ / "scenarios" / "a.yaml");
  scheduler_->step();
  EXPECT_THAT(scheduler_->snapshot().errors, IsEmpty());
  EXPECT_EQ(scenario("a").stanza, "b");
}

TEST_F(SchedulerTest, ClockJumps) {
  add("orders", "0 * * * *");
  restart();
  step_until(at("2026-01-01 10:30:00+00"), 60s);
  EXPECT_THAT(history("orders"), SizeIs(10));
  // Back: nothing runs twice.
  now_ = at("2026-01-01 07:30:00+00");
  step_until(at("2026-01-01 10:30:00+00"), 60s);
  EXPECT_THAT(history("orders"), SizeIs(10));
  // Ahead by years, and back: the future does not block the present.
  now_ = at("2036-01-01 00:30:00+00");
  step_until(at("2036-01-01 00:35:00+00"), 60s);
  EXPECT_THAT(history("orders"), SizeIs(11));
  now_ = at("2026-01-01 10:36:00+00");
  step_until(at("2026-01-01 12:30:00+00"), 60s);
  EXPECT_THAT(history("orders"), SizeIs(13));
}

TEST_F(SchedulerTest, RequestsFromOtherThreads) {
  add("orders", "0 3 * * *");
  now_ = at("2026-01-01 03:00:00+00");
  add("idle", "0 3 * * *", "UTC", "orders");
  restart();
  std::stop_source stop;
  std::jthread thread([&] { scheduler_->run(stop.get_token(), false, [](const auto&) {}); });
  const auto started = scheduler_->start("orders", "alice");
  EXPECT_EQ(scenario("orders").running.value_or(RunningDrill{}).run_id, started.run_id);
  EXPECT_THAT(error_of([&] { scheduler_->start("orders", "alice"); }).what(),
              HasSubstr("another drill of stanza orders is running"));
  EXPECT_EQ(error_of([&] { scheduler_->start("order", "alice"); }).hint(),
            "did you mean 'orders'?");
  EXPECT_EQ(error_of([&] { scheduler_->stop("x"); }).kind(), ErrorKind::usage);
  scheduler_->stop(started.run_id);
  stop.request_stop();
  thread.join();
  EXPECT_THAT(error_of([&] { scheduler_->start("orders", "alice"); }).what(),
              HasSubstr("the scheduler has stopped"));
  EXPECT_THAT(history("orders"), ElementsAre("unknown by hand 1"));
}

TEST_F(SchedulerTest, AStoppedDrillIsNotRepeated) {
  add("orders", "0 3 1 * *");
  now_ = at("2026-02-01 02:59:30+00");
  restart();
  step_until(at("2026-02-01 03:00:00+00"), 30s);
  std::stop_source stop;
  std::jthread thread([&] { scheduler_->run(stop.get_token(), false, [](const auto&) {}); });
  scheduler_->stop(drills_->run_id_of("orders"));
  stop.request_stop();
  thread.join();
  restart();
  step_until(at("2026-02-10 00:00:00+00"), 300s);
  EXPECT_THAT(history("orders"), ElementsAre("unknown 2026-02-01T03:00 1"));
}

// Two years with kills of the scheduler and of drills: each due drill exactly once.
TEST_F(SchedulerTest, TwoYears) {
  ledger_interval_ = 1h;
  add("berlin", "30 2 * * 0", "Europe/Berlin");
  add("new-york", "30 1 1,15 * *", "America/New_York");
  add("lord-howe", "@weekly", "Australia/Lord_Howe", "shared");
  add("berlin-too", "0 2 * * 0", "Europe/Berlin", "shared");
  restart();
  const auto begin = now_;
  const auto end = at("2028-01-01 00:00:00+00");
  std::mt19937 random(15);
  int schedulers = 0;
  int drills = 0;
  while (now_ < end) {
    now_ += std::chrono::seconds(random() % 14400);
    if (random() % 50 == 0) {
      restart();
      ++schedulers;
    }
    scheduler_->step();
    for (const auto& name : drills_->running()) {
      const auto run_id = drills_->run_id_of(name);
      // The fourth attempt is the last one.
      if (random() % 6 != 0 || drills_->attempt_of(run_id) == most_attempts) continue;
      drills_->kill(run_id);
      ++drills;
    }
  }
  EXPECT_GT(schedulers, 50);
  EXPECT_GT(drills, 50);
  for (const auto* entry : directory_->scenarios()) {
    const auto& schedule = *entry->scenario.schedule;
    std::map<Instant, std::vector<LedgerRow>> attempts;
    auto rows = ledger_.list({.scenario = entry->scenario.name});
    std::ranges::reverse(rows);
    for (auto& row : rows) attempts[*row.due].push_back(row);
    auto due = schedule.next_due(begin);
    for (const auto& [time, list] : attempts) {
      ASSERT_EQ(time, *due) << entry->scenario.name;
      for (std::size_t i = 0; i < list.size(); ++i) EXPECT_EQ(list[i].attempt, i + 1);
      EXPECT_EQ(list.back().verdict, Verdict::pass) << schedule.local_time(time);
      due = schedule.next_due(*due);
    }
    EXPECT_GT(*due, end - 12h);
  }
}

}  // namespace
}  // namespace pgrehearse
