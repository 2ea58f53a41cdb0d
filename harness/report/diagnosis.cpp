#include "harness/report/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

struct Blame {
  std::string_view prefix;
  std::string_view party;
};

// The first row whose prefix fits.
constexpr auto blames = std::to_array<Blame>({
    {"PGR-ENV", "environment"},
    {"PGR-PRIMARY", "environment"},
    {"PGR-WAL", "archive"},
    {"PGR-TIMELINE", "archive"},
    {"PGR-REPOSITORY", "archive"},
    {"PGR-LANDING", "archive"},
    {"PGR-REPO-CIPHER", "scenario"},
    {"PGR-REPO-STANZA", "scenario"},
    {"PGR-REPO", "backup"},
    {"PGR-FRESHNESS", "archive"},
    {"PGR-TARGET", "scenario"},
    {"PGR-BACKUP-NONE", "scenario"},
    {"PGR-BACKUP", "backup"},
    {"PGR-RESTORE", "backup"},
    {"PGR-CONTROL", "backup"},
    {"PGR-PAGE", "backup"},
    {"PGR-CHECKSUM", "backup"},
    {"PGR-AMCHECK", "backup"},
    {"PGR-ROWS", "backup"},
    {"PGR-RTO", "environment"},
    {"PGR-RPO", "archive"},
    {"PGR-TABLESPACE", "environment"},
    {"PGR-EXTENSION", "environment"},
    {"PGR-COLLATION", "environment"},
    {"PGR-STARTUP", "instance"},
    {"PGR-LOG", "backup"},
    {"PGR-DATABASE", "backup"},
    {"PGR-SEQUENCE", "backup"},
    {"PGR-INDEX", "backup"},
    {"PGR-COMPARE-CONTENT", "backup"},
    {"PGR-COMPARE-ROWS-MISSING", "backup"},
    {"PGR-COMPARE-ROWS-EXTRA", "backup"},
    {"PGR-COMPARE-SEQUENCE", "backup"},
    {"PGR-COMPARE-CATALOGUE-MISSING", "backup"},
    {"PGR-COMPARE-CATALOGUE-EXTRA", "backup"},
    {"PGR-COMPARE-CATALOGUE-CHANGED", "backup"},
    {"PGR-COMPARE-UNREADABLE", "backup"},
    {"PGR-COMPARE-FILE", "scenario"},
    {"PGR-COMPARE-NO-PRIMARY", "scenario"},
    {"PGR-COMPARE", "environment"},
});

// A cause before what follows from it: rows are missing because WAL is missing.
constexpr auto causes = std::to_array<std::string_view>({
    "PGR-ENV",
    "PGR-IDENTITY",
    "PGR-WAL",
    "PGR-TIMELINE-MISSING",
    "PGR-TIMELINE-HISTORY",
    "PGR-TIMELINE-ABANDONED",
    "PGR-TIMELINE",
    "PGR-LANDING",
    "PGR-REPO",
    "PGR-BACKUP-REFERENCE",
    "PGR-CHECKSUMS",
    "PGR-LOG-PANIC",
    "PGR-BACKUP",
    "PGR-DATABASE-INVALID",
    "PGR-EXTENSION",
    "PGR-COLLATION",
    "PGR-AMCHECK-HEAP",
    "PGR-AMCHECK-INDEX",
    "PGR-AMCHECK",
    "PGR-DATABASE",
});
// The first of them explain most.
constexpr auto consequences = std::to_array<std::string_view>({
    "PGR-INDEX",
    "PGR-ROWS-MISSING-DATABASE",
    "PGR-ROWS-MISSING-TABLE",
    "PGR-ROWS",
    "PGR-SEQUENCE",
    "PGR-LOG",
    "PGR-FRESHNESS",
    "PGR-QUERY",
    "PGR-RPO",
    "PGR-RTO",
});

constexpr auto last_rank = causes.size() + 1 + consequences.size();

// Lower is nearer to the cause.
std::size_t rank_of(const Finding& finding) {
  const auto place_in = [&](const auto& prefixes) {
    const auto* found = std::find_if(prefixes.begin(), prefixes.end(),
                                     [&](auto prefix) { return finding.code.starts_with(prefix); });
    return static_cast<std::size_t>(std::distance(prefixes.begin(), found));
  };
  if (const auto place = place_in(causes); place < causes.size()) return place;
  if (const auto place = place_in(consequences); place < consequences.size()) {
    return causes.size() + 1 + place;
  }
  return causes.size();
}

const Finding* telling_finding(const CheckRecord& check) {
  const auto found =
      std::min_element(check.findings.begin(), check.findings.end(),
                       [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
  return found == check.findings.end() ? nullptr : &*found;
}

// The first of those with this verdict that come nearest to the cause; nullptr without any.
const CheckRecord* telling_check(const Report& report, Verdict verdict) {
  const CheckRecord* best = nullptr;
  auto best_rank = last_rank + 1;
  for (const auto& check : report.checks) {
    if (check.verdict != verdict) continue;
    const auto* finding = telling_finding(check);
    const auto rank = finding == nullptr ? last_rank : rank_of(*finding);
    if (rank >= best_rank) continue;
    best = &check;
    best_rank = rank;
  }
  return best;
}

std::string told(const CheckRecord& check) {
  const auto* finding = telling_finding(check);
  return fmt::format("check {} {}{}{}", check.name,
                     check.verdict == Verdict::fail ? "failed" : "could not tell",
                     finding == nullptr ? "" : ": ", finding == nullptr ? "" : finding->message);
}

// Two faults at once must both be heard of.
void tell_others(const Report& report, Verdict verdict, const CheckRecord* except,
                 std::vector<std::string>& evidence) {
  for (const auto& other : report.checks) {
    if (&other == except || other.verdict != verdict) continue;
    evidence.push_back("also: " + told(other));
  }
}

std::string recoverable(const std::optional<RecoverableWindow>& window) {
  if (!window) return {};
  const auto& lineage = window->lineage;
  if (!lineage.last_reachable) {
    return fmt::format("nothing can be recovered from backup {}: its first WAL segment is missing",
                       window->backup);
  }
  auto text = fmt::format(
      "from backup {}: {}{} up to {}", window->backup,
      window->consistent_from ? to_iso8601(*window->consistent_from) + " and later," : "",
      window->consistent_from ? "" : " its end", to_text(lineage.reachable_end));
  if (lineage.missing_count > 0) {
    text += fmt::format(
        "; lost: everything after it, although the archive goes on to {} ({} missing "
        "{}, first {})",
        to_text(lineage.archive_end), lineage.missing_count,
        lineage.missing_count == 1 ? "segment" : "segments",
        file_name(lineage.gaps.front().first_segment(), lineage.segment_size));
  }
  return text;
}

}  // namespace

std::string blame_of(const std::string& code) {
  const auto* found = std::find_if(blames.begin(), blames.end(),
                                   [&](const auto& row) { return code.starts_with(row.prefix); });
  return found == blames.end() ? "instance" : std::string(found->party);
}

Diagnosis diagnose_error(const Error& error, const Report& report,
                         const std::optional<RecoverableWindow>& window,
                         std::vector<std::string> evidence) {
  Diagnosis diagnosis{.summary = error.what(),
                      .code = error.code(),
                      .object = error.object(),
                      .next_step = error.hint(),
                      .evidence = std::move(evidence)};
  switch (error.kind()) {
    case ErrorKind::environment:
    case ErrorKind::interrupted:
      diagnosis.blame = "environment";
      break;
    case ErrorKind::usage:
      diagnosis.blame = "scenario";
      break;
    case ErrorKind::internal:
      diagnosis.blame = "pgrehearse";
      break;
    default:
      diagnosis.blame = error.code().empty() ? "backup" : blame_of(error.code());
      diagnosis.recoverable = recoverable(window);
  }
  tell_others(report, Verdict::fail, nullptr, diagnosis.evidence);
  return diagnosis;
}

Diagnosis diagnose_checks(const Report& report, const std::optional<RecoverableWindow>& window) {
  const auto* check = telling_check(report, Verdict::fail);
  if (check == nullptr) check = telling_check(report, Verdict::unknown);
  if (check == nullptr) {
    const auto passed = std::count_if(report.checks.begin(), report.checks.end(),
                                      [](const auto& c) { return c.verdict == Verdict::pass; });
    return {.summary = passed == 0 ? std::string("no check passed: nothing was proved")
                                   : fmt::format("the backup restores: {} checks passed", passed),
            .blame = "none"};
  }
  Diagnosis diagnosis{.summary = told(*check), .blame = "none"};
  tell_others(report, check->verdict, check, diagnosis.evidence);
  if (const auto* finding = telling_finding(*check)) {
    diagnosis.code = finding->code;
    diagnosis.object = finding->object;
    diagnosis.next_step = finding->hint;
    diagnosis.blame = blame_of(finding->code);
  }
  // Who cannot tell has proved nothing against the backup.
  if (check->verdict == Verdict::unknown &&
      (diagnosis.blame == "backup" || diagnosis.blame == "archive")) {
    diagnosis.blame = "none";
  }
  if (check->verdict == Verdict::fail) diagnosis.recoverable = recoverable(window);
  return diagnosis;
}

}  // namespace pgrehearse
