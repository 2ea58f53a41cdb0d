#include "harness/report/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/report/finding_codes.hpp"

namespace pgrehearse {

namespace {

// The severity that gives a check its verdict.
Severity severity_required_by(Verdict verdict) {
  return verdict == Verdict::fail ? Severity::error : Severity::unknown;
}

// The finding that gave the check its verdict and is closest to the cause; nullptr without
// findings.
const Finding* most_significant_finding(const CheckRecord& check) {
  const auto key = [&](const Finding& finding) {
    return std::pair(severity_of(finding) != severity_required_by(check.verdict),
                     rank_of(finding.code));
  };
  const auto found = std::ranges::min_element(check.findings, {}, key);
  return found == check.findings.end() ? nullptr : &*found;
}

// The first of the checks with this verdict that are closest to the cause; nullptr without any.
const CheckRecord* most_significant_check(const Report& report, Verdict verdict) {
  const CheckRecord* best = nullptr;
  int best_rank = 0;
  for (const auto& check : report.checks) {
    if (check.verdict != verdict) continue;
    const auto* finding = most_significant_finding(check);
    const auto rank = rank_of(finding == nullptr ? FindingCode::none : finding->code);
    if (best != nullptr && rank >= best_rank) continue;
    best = &check;
    best_rank = rank;
  }
  return best;
}

std::string summary_of(const CheckRecord& check) {
  const auto* finding = most_significant_finding(check);
  return fmt::format("check {} {}{}{}", check.name,
                     check.verdict == Verdict::fail ? "failed" : "was inconclusive",
                     finding == nullptr ? "" : ": ", finding == nullptr ? "" : finding->message);
}

// Every other check with this verdict is evidence: two faults can occur at once.
void add_other_checks(const Report& report, Verdict verdict, const CheckRecord* except,
                      std::vector<std::string>& evidence) {
  for (const auto& other : report.checks) {
    if (&other == except || other.verdict != verdict) continue;
    evidence.push_back("also: " + summary_of(other));
  }
}

bool is_evidence_against_backup(LikelyCause cause) {
  return cause == LikelyCause::backup || cause == LikelyCause::archive;
}

LikelyCause cause_of(const Error& error) {
  const auto cause = likely_cause_of(error.code());
  switch (error.kind()) {
    case ErrorKind::environment:
    case ErrorKind::interrupted:
      return cause == LikelyCause::none || is_evidence_against_backup(cause)
                 ? LikelyCause::environment
                 : cause;
    case ErrorKind::usage:
      return LikelyCause::scenario;
    case ErrorKind::internal:
      return LikelyCause::pgrehearse;
    default:
      return cause == LikelyCause::none ? LikelyCause::backup : cause;
  }
}

std::string recoverable(const std::optional<RecoverableWindow>& window) {
  if (!window) return {};
  const auto& lineage = window->lineage;
  if (!lineage.last_reachable) {
    return fmt::format("nothing can be recovered from backup {}: its first WAL segment is missing",
                       window->backup);
  }
  auto text =
      fmt::format("from backup {}: {}{} up to {}", window->backup,
                  window->consistent_from ? to_text(*window->consistent_from) + " and later," : "",
                  window->consistent_from ? "" : " its end", to_text(lineage.reachable_end));
  if (lineage.missing_count > 0) {
    text += fmt::format(
        "; lost: everything after it, although the archive continues to {} ({} missing "
        "{}, first {})",
        to_text(lineage.archive_end), lineage.missing_count,
        lineage.missing_count == 1 ? "segment" : "segments",
        file_name(lineage.gaps.front().first_segment(), lineage.segment_size));
  }
  return text;
}

}  // namespace

Diagnosis diagnose_error(const Error& error, const Report& report,
                         const std::optional<RecoverableWindow>& window,
                         std::vector<std::string> evidence) {
  Diagnosis diagnosis{.summary = error.what(),
                      .code = error.code(),
                      .object = error.object(),
                      .likely_cause = cause_of(error),
                      .next_step = error.hint(),
                      .evidence = std::move(evidence)};
  // Only a fault of what is stored costs recovery points.
  if (verdict_of(error.kind()) == Verdict::fail) diagnosis.recoverable = recoverable(window);
  add_other_checks(report, Verdict::fail, nullptr, diagnosis.evidence);
  return diagnosis;
}

Diagnosis diagnose_checks(const Report& report, const std::optional<RecoverableWindow>& window) {
  const auto* check = most_significant_check(report, Verdict::fail);
  if (check == nullptr) check = most_significant_check(report, Verdict::unknown);
  if (check == nullptr) {
    const auto passed = std::count_if(report.checks.begin(), report.checks.end(),
                                      [](const auto& c) { return c.verdict == Verdict::pass; });
    return {.summary = passed == 0 ? std::string("no check passed: nothing was proved")
                                   : fmt::format("the backup restores: {} checks passed", passed),
            .likely_cause = LikelyCause::none};
  }
  Diagnosis diagnosis{.summary = summary_of(*check)};
  add_other_checks(report, check->verdict, check, diagnosis.evidence);
  if (const auto* finding = most_significant_finding(*check)) {
    diagnosis.code = finding->code;
    diagnosis.object = finding->object;
    diagnosis.next_step = finding->hint;
    diagnosis.likely_cause = likely_cause_of(finding->code);
  }
  // An inconclusive check is no evidence against the backup.
  if (check->verdict == Verdict::unknown && is_evidence_against_backup(diagnosis.likely_cause)) {
    diagnosis.likely_cause = LikelyCause::none;
  }
  if (check->verdict == Verdict::fail) diagnosis.recoverable = recoverable(window);
  return diagnosis;
}

}  // namespace pgrehearse
