#include "harness/faults/proof.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

Report report_with(const std::string& code, const std::string& object) {
  Report report;
  report.verdict = Verdict::fail;
  report.diagnosis = {.summary = "words", .code = code, .object = object};
  report.checks.push_back({.name = "one",
                           .verdict = Verdict::fail,
                           .findings = {{.code = code, .object = object, .message = "words"}}});
  return report;
}

FaultResult fault_expecting(std::vector<std::string> codes, std::vector<std::string> objects) {
  FaultResult result;
  result.fault.expect = {
      .verdict = Verdict::fail, .codes = std::move(codes), .objects = std::move(objects)};
  return result;
}

TEST(Judge, TheRightCodeForTheRightThingIsCaught) {
  auto result = fault_expecting({"PGR-WAL-GAP"}, {"@segment@"});
  judge(report_with("PGR-WAL-GAP", "000000010000000000000003"),
        {{"segment", "000000010000000000000003"}}, result);
  EXPECT_TRUE(result.caught) << result.missing;
}

TEST(Judge, AnotherThingIsNotCaught) {
  auto result = fault_expecting({"PGR-WAL-GAP"}, {"@segment@"});
  judge(report_with("PGR-WAL-GAP", "000000010000000000000004"),
        {{"segment", "000000010000000000000003"}}, result);
  EXPECT_FALSE(result.caught);
}

TEST(Judge, AnotherVerdictIsNotCaught) {
  auto result = fault_expecting({"PGR-WAL-GAP"}, {});
  auto report = report_with("PGR-WAL-GAP", "x");
  report.verdict = Verdict::unknown;
  judge(report, {}, result);
  EXPECT_FALSE(result.caught);
}

TEST(Judge, AFindingThatTheDiagnosisDoesNotTellIsNotCaught) {
  auto result = fault_expecting({"PGR-WAL-GAP"}, {});
  auto report = report_with("PGR-WAL-GAP", "x");
  report.diagnosis.code = "PGR-RPO-EXCEEDED";
  judge(report, {}, result);
  EXPECT_EQ(result.missing, "the diagnosis says PGR-RPO-EXCEEDED x");
}

TEST(Judge, OfTwoFaultsBothMustBeFound) {
  auto result = fault_expecting({"PGR-WAL-GAP", "PGR-CHECKSUMS-PAGE"}, {"x", "y"});
  judge(report_with("PGR-WAL-GAP", "x"), {}, result);
  EXPECT_EQ(result.missing, "no finding PGR-CHECKSUMS-PAGE y");
}

TEST(ProofScore, IsPerfectOnlyWhenEverythingWasPlantedAndCaught) {
  ProofScore score;
  EXPECT_EQ(score.verdict(), Verdict::unknown);
  score.faults.resize(2);
  score.faults[0].caught = true;
  EXPECT_EQ(score.verdict(), Verdict::fail);
  score.faults[1].skipped = "no mount";
  EXPECT_EQ(score.verdict(), Verdict::unknown);
  score.faults.pop_back();
  EXPECT_EQ(score.verdict(), Verdict::pass);
  score.clean_runs.push_back({.name = "x", .verdict = Verdict::fail});
  EXPECT_EQ(score.verdict(), Verdict::fail);
}

}  // namespace
}  // namespace pgrehearse
