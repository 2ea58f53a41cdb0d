#include "harness/faults/proof/proof.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "harness/faults/proof/baselines.hpp"
#include "harness/faults/proof/proof_formats.hpp"

namespace pgrehearse {
namespace {

Report report_with(FindingCode code, const std::string& object) {
  Report report;
  report.verdict = Verdict::fail;
  report.diagnosis = {.summary = "words", .code = code, .object = object};
  report.checks.push_back({.name = "one",
                           .verdict = Verdict::fail,
                           .findings = {{.code = code, .object = object, .message = "words"}}});
  return report;
}

FaultResult fault_expecting(std::vector<FindingCode> codes, std::vector<std::string> objects) {
  FaultResult result;
  result.fault.expect = {
      .verdict = Verdict::fail, .codes = std::move(codes), .objects = std::move(objects)};
  return result;
}

TEST(EvaluateFault, ExpectedCodeAndObjectAreDetected) {
  auto result = fault_expecting({FindingCode::wal_gap}, {"@segment@"});
  evaluate(report_with(FindingCode::wal_gap, "000000010000000000000003"),
           {{"segment", "000000010000000000000003"}}, InjectedIn::laboratory, result);
  EXPECT_TRUE(result.detected) << result.missing;
}

TEST(EvaluateFault, WrongObjectIsMissed) {
  auto result = fault_expecting({FindingCode::wal_gap}, {"@segment@"});
  evaluate(report_with(FindingCode::wal_gap, "000000010000000000000004"),
           {{"segment", "000000010000000000000003"}}, InjectedIn::laboratory, result);
  EXPECT_FALSE(result.detected);
}

TEST(EvaluateFault, WrongVerdictIsMissed) {
  auto result = fault_expecting({FindingCode::wal_gap}, {});
  auto report = report_with(FindingCode::wal_gap, "x");
  report.verdict = Verdict::unknown;
  evaluate(report, {}, InjectedIn::laboratory, result);
  EXPECT_FALSE(result.detected);
}

TEST(EvaluateFault, FindingMissingFromDiagnosisIsMissed) {
  auto result = fault_expecting({FindingCode::wal_gap}, {});
  auto report = report_with(FindingCode::wal_gap, "x");
  report.diagnosis.code = FindingCode::rpo_exceeded;
  evaluate(report, {}, InjectedIn::laboratory, result);
  EXPECT_EQ(result.missing, "the diagnosis is PGR-RPO-EXCEEDED x");
}

TEST(EvaluateFault, BothOfTwoFaultsMustBeDetected) {
  auto result = fault_expecting({FindingCode::wal_gap, FindingCode::checksums_page}, {"x", "y"});
  evaluate(report_with(FindingCode::wal_gap, "x"), {}, InjectedIn::laboratory, result);
  EXPECT_EQ(result.missing, "no finding PGR-CHECKSUMS-PAGE y");
}

TEST(EvaluateFault, AlternativeCodeCountsOnlyInACopy) {
  auto result = fault_expecting({FindingCode::wal_damaged}, {"0003"});
  result.fault.expect.alternatives = {FindingCode::landing_short};
  const auto report = report_with(FindingCode::landing_short, "0003");
  evaluate(report, {}, InjectedIn::copy, result);
  EXPECT_TRUE(result.detected) << result.missing;
  evaluate(report, {}, InjectedIn::laboratory, result);
  EXPECT_FALSE(result.detected);
  evaluate(report_with(FindingCode::landing_short, "0004"), {}, InjectedIn::copy, result);
  EXPECT_FALSE(result.detected);
}

TEST(EvaluateFault, EvidenceOfDiagnosisCountsInACopy) {
  auto result = fault_expecting({FindingCode::wal_gap}, {"0003"});
  auto report = report_with(FindingCode::wal_gap, "0003");
  report.diagnosis.code = FindingCode::target_not_reached;
  report.diagnosis.object = "time";
  evaluate(report, {}, InjectedIn::copy, result);
  EXPECT_FALSE(result.detected);
  report.diagnosis.evidence = {"also: check wal_continuity failed: segment 0003 is missing"};
  evaluate(report, {}, InjectedIn::copy, result);
  EXPECT_TRUE(result.detected) << result.missing;
  evaluate(report, {}, InjectedIn::laboratory, result);
  EXPECT_FALSE(result.detected);
}

TEST(ProofScore, InapplicableFaultsAreNotCounted) {
  ProofScore score;
  score.faults.resize(2);
  score.faults[0].not_applicable = "not encrypted";
  EXPECT_EQ(score.injected(), 1U);
  score.faults[1].detected = true;
  EXPECT_EQ(score.verdict(), Verdict::pass);
  score.faults.pop_back();
  EXPECT_EQ(score.verdict(), Verdict::unknown);
}

TEST(ProofScore, ChangedRepositoryIsNotAPass) {
  ProofScore score;
  score.faults.resize(1);
  score.faults[0].detected = true;
  score.original.emplace();
  score.original->change.new_segments = {
      "archive/shop/15-1/0000000100000000/000000010000000000000009"};
  EXPECT_EQ(score.verdict(), Verdict::pass);
  score.original->change.differences = {"changed: backup/shop/backup.info"};
  EXPECT_EQ(score.verdict(), Verdict::unknown);
}

TEST(ProofScore, FailedControlRunDeterminesVerdict) {
  ProofScore score;
  score.stopped_by_control = true;
  score.clean_runs.push_back({.name = "scenario without a fault", .verdict = Verdict::unknown});
  EXPECT_EQ(score.verdict(), Verdict::unknown);
  score.clean_runs[0].verdict = Verdict::fail;
  EXPECT_EQ(score.verdict(), Verdict::fail);
}

TEST(ProofScore, PassesOnlyIfEveryFaultWasInjectedAndDetected) {
  ProofScore score;
  EXPECT_EQ(score.verdict(), Verdict::unknown);
  score.faults.resize(2);
  score.faults[0].detected = true;
  EXPECT_EQ(score.verdict(), Verdict::fail);
  score.faults[1].skipped = "no mount";
  EXPECT_EQ(score.verdict(), Verdict::unknown);
  score.faults.pop_back();
  EXPECT_EQ(score.verdict(), Verdict::pass);
  score.clean_runs.push_back({.name = "x", .verdict = Verdict::fail});
  EXPECT_EQ(score.verdict(), Verdict::fail);
}

TEST(ProofPage, ShowsTheToolWithItsOwnVerification) {
  ProofScore score{.tool = BackupTool::barman};
  score.faults.resize(2);
  auto& injected = score.faults.at(0);
  injected.fault = {.name = "one", .summary = "damage", .phase = "archive"};
  injected.detected = true;
  for (const auto& baseline : baselines_of(score.tool)) injected.baselines[baseline] = "";
  injected.baselines.at("barman check") = "FAILED";
  score.faults.at(1).fault = {.name = "two", .summary = "other damage", .phase = "archive"};
  score.faults.at(1).not_applicable = "the tool does not encrypt backups";
  score.faults.at(1).fault.expect.verdict = Verdict::pass;
  std::ostringstream out;
  write_proof_page(score, out);
  const auto page = out.str();
  for (const auto* text :
       {"# The faults with Barman\n", "--tool barman",
        "**1 of 1 injected faults detected, 0 false alarms in 0 clean runs.** 1 more fault does "
        "not",
        "| backup | barman check | barman verify-backup | script | checksums, amcheck |\n",
        "| detected | missed | **detected** | missed | missed | missed |\n",
        "| not applicable: the tool does not encrypt backups |",
        "| barman check | 1 of 1 | 0 of 0 |", "| pgrehearse | 1 of 1 | 0 of 0 |"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text << "\n" << page;
  }
}

}  // namespace
}  // namespace pgrehearse
