#include "harness/drill/preparation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fakes/fake_provisioner.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

class PreparationTest : public testing::Test {
 protected:
  PreparationTest() {
    scenario_.name = "weekly";
    scenario_.repository.stanza = "orders";
    if (geteuid() == 0) scenario_.sandbox.account = "nobody";
  }

  Preparation preparation() {
    return {scenario_,
            {.repository = repository_,
             .provisioner = elsewhere_ ? nullptr : &provisioner_,
             .primary = primary_.get()},
            testing::TempDir()};
  }
  // What the step found.
  std::string take(Preparation& preparation, std::string_view name) {
    for (const auto& step : Preparation::steps()) {
      if (step.name == name) return (preparation.*step.take)({});
    }
    ADD_FAILURE() << "there is no step " << name;
    return {};
  }
  void name_primary() {
    primary_ = std::make_unique<Primary>(PrimarySpec{
        .dsn = "host=/nowhere dbname=shop", .failover_timeout = std::chrono::milliseconds(0)});
  }

  ScriptedServer server_;
  CallRecord calls_;
  ScriptedCommandRunner runner_;
  FakeProvisioner provisioner_{calls_, runner_};
  FakeRepository repository_{calls_};
  std::unique_ptr<Primary> primary_;
  Scenario scenario_;
  bool elsewhere_ = false;
};

TEST_F(PreparationTest, TakesItsStepsInTheOrderInWhichTheyDepend) {
  auto preparation = this->preparation();
  preparation.take_all({});
  EXPECT_THAT(calls_.calls(), ElementsAre("version", "list backups", "probe", "list archive"));
  EXPECT_EQ(preparation.tool_version, "pgBackRest 2.45");
  EXPECT_EQ(preparation.choice->backup.label, "20261120-010000F");
  EXPECT_EQ(preparation.programs, "a fake of PostgreSQL 15");
  EXPECT_EQ(preparation.segment_size, FakeRepository::segment_bytes);
  EXPECT_EQ(preparation.archive.segments.size(), 2U);
  EXPECT_EQ(to_text(preparation.lineage->archive_end), "0/4000000");
  EXPECT_EQ(preparation.primary_identity, std::nullopt);
}

TEST_F(PreparationTest, StopsAtTheFirstStepThatFails) {
  for (const std::string call : {"version", "list backups", "probe", "list archive"}) {
    calls_.fail(call, Error(ErrorKind::environment, call));
    auto preparation = this->preparation();
    EXPECT_EQ(error_of([&] { preparation.take_all({}); }).what(), call);
    EXPECT_EQ(calls_.calls().back(), call);
    calls_.on(call, {});
  }
}

TEST_F(PreparationTest, AWalGapIsNamedAndDoesNotEndTheDrill) {
  repository_.archive_segment({.timeline = 1, .number = 6});
  auto preparation = this->preparation();
  preparation.take_all({});
  const auto problem =
      "2 of 5 WAL segments missing, first 000000010000000000000004; recovery from backup "
      "20261120-010000F ends at 0/4000000";
  EXPECT_EQ(preparation.wal_problem(), problem);
  const auto error = error_of([&] { take(preparation, "WAL continuity"); });
  EXPECT_EQ(error.kind(), ErrorKind::repository);
  EXPECT_EQ(error.what(), std::string(problem));
}

TEST_F(PreparationTest, TheBackupPrecedesAllTargets) {
  auto newer = repository_.backups.front();
  newer.label = "20261121-010000F";
  newer.start_time += std::chrono::hours(24);
  newer.stop_time += std::chrono::hours(24);
  newer.start_lsn = Lsn{4 * FakeRepository::segment_bytes + 0x28};
  newer.stop_lsn = Lsn{4 * FakeRepository::segment_bytes + 0x100};
  newer.start_segment = newer.stop_segment = "000000010000000000000004";
  repository_.backups.push_back(newer);
  repository_.archive_segment({.timeline = 1, .number = 4});
  auto preparation = this->preparation();
  preparation.take_all({});
  EXPECT_EQ(preparation.choice->backup.label, newer.label);
  preparation.other_targets = {
      {.type = TargetType::lsn, .lsn = Lsn{3 * FakeRepository::segment_bytes}},
      {.type = TargetType::latest}};
  preparation.take_all({});
  EXPECT_EQ(preparation.choice->backup.label, "20261120-010000F");
  EXPECT_EQ(preparation.lineage->required_count, 3U) << "the WAL is listed for this backup";
}

TEST_F(PreparationTest, EveryStepComesAfterTheOneThatItNeeds) {
  std::vector<std::string_view> before{""};
  for (const auto& step : Preparation::steps()) {
    EXPECT_THAT(before, testing::Contains(step.needs)) << step.name;
    before.push_back(step.name);
  }
}

TEST_F(PreparationTest, APrimaryThatCannotBeReachedDoesNotEndTheDrill) {
  name_primary();
  server_.refuse("connection refused");
  auto preparation = this->preparation();
  preparation.take_all({});
  EXPECT_EQ(preparation.primary_identity, std::nullopt);
  EXPECT_EQ(error_of([&] { take(preparation, "primary reachable"); }).kind(),
            ErrorKind::environment);
}

TEST_F(PreparationTest, TheIdentityOfThePrimaryIsKept) {
  name_primary();
  server_.on("system_identifier", ScriptedServer::row({"7710428306718581329", "f", "3"}));
  server_.on("txid_current_snapshot()",
             ScriptedServer::row({"2026-11-20 03:00:00+00", "f", "740:740:", "off", "f"}));
  auto preparation = this->preparation();
  preparation.take_all({});
  ASSERT_TRUE(preparation.primary_identity.has_value());
  EXPECT_EQ(preparation.primary_identity->system_identifier, 7710428306718581329U);
  EXPECT_EQ(preparation.primary_identity->timeline, 3U);
  ASSERT_TRUE(preparation.primary_state.has_value());
  EXPECT_EQ(preparation.primary_state->snapshot.xmax, 740U);
}

TEST_F(PreparationTest, AStopRequestEndsItEvenAtAStepThatTheDrillDoesNotNeed) {
  name_primary();
  std::stop_source stop;
  server_.on_call("system_identifier", [&](const auto&) {
    stop.request_stop();
    return ScriptedServer::Silence{};
  });
  auto preparation = this->preparation();
  EXPECT_EQ(error_of([&] { preparation.take_all(stop.get_token()); }).kind(),
            ErrorKind::interrupted);
}

TEST_F(PreparationTest, AnEmptyRepositoryHasNoBackupForTheTarget) {
  repository_.backups.clear();
  auto preparation = this->preparation();
  const auto error = error_of([&] { preparation.take_all({}); });
  EXPECT_EQ(error.kind(), ErrorKind::repository);
  EXPECT_EQ(error.code(), FindingCode::backup_none);
}

TEST_F(PreparationTest, StepsAfterAMissingBackupSayThatThereIsNone) {
  auto preparation = this->preparation();
  EXPECT_EQ(error_of([&] { take(preparation, "PostgreSQL binaries"); }).kind(),
            ErrorKind::repository);
  EXPECT_EQ(error_of([&] { take(preparation, "WAL archive"); }).kind(), ErrorKind::repository);
  EXPECT_EQ(error_of([&] { take(preparation, "disk space"); }).kind(), ErrorKind::repository);
}

TEST_F(PreparationTest, NeedsSpaceForTheClusterAndItsWalButNotForAllOfIt) {
  repository_.backups.front().size = {1000};
  auto preparation = this->preparation();
  preparation.take_all({});
  const std::uint64_t two_segments = 32 * mebibyte;
  EXPECT_EQ(preparation.required_space().count, 1000 + two_segments + 64 * mebibyte);
  for (std::uint64_t number = 4; number < 200; ++number) {
    repository_.archive_segment({.timeline = 1, .number = number});
  }
  preparation.take_all({});
  EXPECT_EQ(preparation.required_space().count, 1000 + 1024 * mebibyte + 64 * mebibyte)
      << "replayed segments are recycled";
}

TEST_F(PreparationTest, TheSandboxIsMadeForTheChosenBackup) {
  scenario_.sandbox.cpus = 3;
  auto preparation = this->preparation();
  preparation.take_all({});
  const auto spec = preparation.sandbox_spec();
  EXPECT_EQ(spec.scenario, "weekly");
  EXPECT_EQ(spec.postgres_major, 15);
  EXPECT_EQ(spec.cpus, 3);
  EXPECT_EQ(spec.needed, preparation.required_space());
  EXPECT_EQ(spec.run_id, "");
}

TEST_F(PreparationTest, ADiskWithoutSpaceIsFoundBeforeTheRestore) {
  repository_.backups.front().size = {std::uint64_t{1} << 60U};
  scenario_.sandbox.directory = testing::TempDir() + "pgr-none/such/directory";
  auto preparation = this->preparation();
  const auto error = error_of([&] { preparation.take_all({}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_EQ(error.code(), FindingCode::env_disk_full);
  EXPECT_EQ(error.object() + "/", testing::TempDir()) << "the nearest directory that exists";
}

TEST_F(PreparationTest, ADrillThatRunsElsewhereNeedsNeitherThisHostsBinariesNorItsSpace) {
  repository_.backups.front().size = {std::uint64_t{1} << 60U};
  elsewhere_ = true;
  auto preparation = this->preparation();
  EXPECT_NO_THROW(preparation.take_all({}));
  EXPECT_EQ(calls_.count("probe"), 0);
}

TEST_F(PreparationTest, PostgreSqlDoesNotRunAsRoot) {
  if (!require_or_skip(geteuid() == 0 ? "" : "needs root", Remedy::none)) return;
  scenario_.sandbox.account = "root";
  auto preparation = this->preparation();
  EXPECT_EQ(error_of([&] { preparation.take_all({}); }).code(), FindingCode::env_account);
  EXPECT_EQ(calls_.calls().size(), 0U) << "it is the first step";
}

TEST_F(PreparationTest, OnlyRootRunsTheInstanceAsAnotherAccount) {
  if (!require_or_skip(geteuid() == 0 ? "needs an ordinary account" : "", Remedy::none)) return;
  scenario_.sandbox.account = "somebody";
  auto preparation = this->preparation();
  EXPECT_EQ(error_of([&] { preparation.take_all({}); }).code(), FindingCode::env_account);
}

}  // namespace
}  // namespace pgrehearse
