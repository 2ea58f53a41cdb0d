#include "harness/drill/check_runner.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/check_bench.hpp"

namespace pgrehearse {
namespace {

Finding finding_of(const std::string& sqlstate) {
  return {.code = FindingCode::query_error,
          .message = "it failed",
          .details = {{"sqlstate", sqlstate}}};
}

CheckRecord record_of_check(std::unique_ptr<Check> check) {
  const CheckDescription description{.name = "failing", .summary = "", .finds = {}};
  std::vector<PlannedCheck> planned;
  planned.push_back({.description = &description,
                     .request = {.check = "failing", .name = "failing"},
                     .check = std::move(check)});
  CheckBench bench;
  const auto context = bench.context(InstanceState::paused);
  return run_checks(planned, InstanceState::paused, context, 1, [](const CheckRecord&) {})
      .at(0)
      .record;
}

CheckRecord record_of(std::vector<Finding> findings) {
  struct Failing : InstanceCheck {
    explicit Failing(std::vector<Finding> all) : findings(std::move(all)) {}
    CheckOutcome run(const LandedContext& /*context*/) override {
      return {.verdict = Verdict::fail, .findings = findings, .summary = "failed"};
    }
    std::vector<Finding> findings;
  };
  return record_of_check(std::make_unique<Failing>(std::move(findings)));
}

TEST(CheckRunner, AMissingBinaryIsUnknown) {
  struct Lacking : InstanceCheck {
    CheckOutcome run(const LandedContext& /*context*/) override {
      throw Error(ErrorKind::environment, "pg_amcheck is not installed", "",
                  FindingCode::env_binary);
    }
  };
  const auto record = record_of_check(std::make_unique<Lacking>());
  EXPECT_EQ(record.verdict, Verdict::unknown);
  EXPECT_EQ(record.findings.at(0).code, FindingCode::env_binary);
  EXPECT_EQ(severity_of(record.findings.at(0)), Severity::unknown);
}

TEST(CheckRunner, FullDiskOrMemoryIsNoEvidenceAgainstTheData) {
  const auto full = record_of({finding_of("53100")});
  EXPECT_EQ(full.verdict, Verdict::unknown);
  EXPECT_EQ(full.findings.at(0).code, FindingCode::env_disk_full);
  EXPECT_EQ(severity_of(full.findings.at(0)), Severity::unknown);
  const auto memory = record_of({finding_of("53200")});
  EXPECT_EQ(memory.verdict, Verdict::unknown);
  EXPECT_EQ(memory.findings.at(0).code, FindingCode::env_memory);
}

TEST(CheckRunner, OtherFindingsStillFailTheCheck) {
  EXPECT_EQ(record_of({finding_of("XX001")}).verdict, Verdict::fail);
  EXPECT_EQ(record_of({finding_of("53400")}).verdict, Verdict::fail) << "a limit that was set";
  EXPECT_EQ(record_of({}).verdict, Verdict::fail);
  const auto both = record_of({finding_of("53100"), finding_of("XX001")});
  EXPECT_EQ(both.verdict, Verdict::fail);
  EXPECT_EQ(both.findings.at(0).code, FindingCode::query_error)
      << "the likely cause would become the environment";
  EXPECT_EQ(both.findings.at(1).code, FindingCode::query_error);
}

TEST(CheckRunner, PlanRejectsACheckThatCannotRunInTheStateOfItsRow) {
  struct StoppedOnly : StoppedCheck {
    CheckOutcome run(const StoppedContext& /*context*/) override { return {}; }
  };
  const std::vector<CheckDescription> table{{.name = "misplaced",
                                             .summary = "",
                                             .finds = {},
                                             .state = InstanceState::any,
                                             .create = create<StoppedOnly>}};
  EXPECT_THROW(plan_checks({.checks = {{.check = "misplaced", .name = "misplaced"}}}, table),
               Error);
}

// A check of a stopped instance that needed the running one first.
struct Preparing : StoppedCheck {
  explicit Preparing(std::optional<ErrorKind> thrown) : kind(thrown) {}
  void before_stop(const LandedContext& /*context*/) override {
    prepared = true;
    if (kind) throw Error(*kind, "cannot count the rows");
  }
  CheckOutcome run(const StoppedContext& /*context*/) override {
    return {.verdict = prepared ? Verdict::pass : Verdict::fail};
  }
  std::optional<ErrorKind> kind;
  bool prepared = false;
};

CheckRecord record_of_stopped(std::optional<ErrorKind> thrown) {
  const CheckDescription description{.name = "preparing", .summary = "", .finds = {}};
  std::vector<PlannedCheck> planned;
  planned.push_back({.description = &description,
                     .request = {.check = "preparing", .name = "preparing"},
                     .check = std::make_unique<Preparing>(thrown),
                     .state = InstanceState::stopped});
  CheckBench bench;
  const auto landed = bench.context(InstanceState::read_write);
  prepare_stop(planned, std::get<LandedContext>(landed));
  return run_checks(planned, InstanceState::stopped, bench.context(InstanceState::stopped), 1,
                    [](const CheckRecord&) {})
      .at(0)
      .record;
}

TEST(CheckRunner, ACheckOfAStoppedInstanceSeesTheRunningOneFirst) {
  EXPECT_EQ(record_of_stopped({}).verdict, Verdict::pass);
}

TEST(CheckRunner, AFailureBeforeTheStopMakesOnlyThatCheckUnknown) {
  const auto record = record_of_stopped(ErrorKind::recovery);
  EXPECT_EQ(record.verdict, Verdict::unknown);
  ASSERT_EQ(record.findings.size(), 1U);
  EXPECT_EQ(record.findings.front().message, "cannot count the rows");
  EXPECT_THROW(record_of_stopped(ErrorKind::interrupted), Error);
}

}  // namespace
}  // namespace pgrehearse
