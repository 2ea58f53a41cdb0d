// Is every WAL segment archived, from the backup's first one to the newest? The backup tool's own
// verification passes when a segment was deleted from the middle, and PostgreSQL treats a missing
// segment as the end of the archive, so every name is checked.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_gaps = 20;

std::string names_of(const WalRange& gap, std::uint64_t segment_size) {
  auto first = file_name(gap.first_segment(), segment_size);
  if (gap.count() == 1) return first;
  return fmt::format("{} to {}", first, file_name(gap.last_segment(), segment_size));
}

std::string missing_text(const WalRange& gap, std::uint64_t segment_size) {
  return fmt::format("{} {} missing from the archive: {}", gap.count(),
                     gap.count() == 1 ? "segment is" : "segments are", names_of(gap, segment_size));
}

class LineageFindings {
 public:
  LineageFindings(const WalLineage& lineage, const Backup& backup)
      : lineage_(lineage), backup_(backup) {}

  std::vector<Finding> findings() {
    const bool nothing = lineage_.missing_count == lineage_.required_count;
    if (nothing && lineage_.required_count > 0) {
      add_missing_archive();
    } else {
      if (!lineage_.backup_complete) add_incomplete_backup();
      add_gaps();
    }
    for (const auto& problem : lineage_.problems) add(problem);
    return std::move(findings_);
  }

 private:
  void add_missing_archive() {
    findings_.push_back(
        {.code = FindingCode::wal_missing,
         .object = backup_.start_segment,
         .message = fmt::format("the archive has no WAL from {} onward, where backup {} begins: "
                                "the backup is unusable",
                                backup_.start_segment, backup_.label),
         .hint = "check archive_command and pg_stat_archiver on the primary; take a new backup "
                 "once archiving works",
         .details = {{"backup", backup_.label}, {"first_needed", backup_.start_segment}}});
  }

  void add_incomplete_backup() {
    findings_.push_back(
        {.code = FindingCode::wal_backup,
         .object = backup_.label,
         .message = fmt::format("WAL written while backup {} was taken ({} to {}) is missing or "
                                "damaged: the backup cannot reach consistency and is unusable",
                                backup_.label, backup_.start_segment, backup_.stop_segment),
         .hint = "restore another backup, and take a new one",
         .details = {{"first_needed", backup_.start_segment},
                     {"last_needed", backup_.stop_segment}}});
  }

  void add_gaps() {
    for (std::size_t index = 0; index < std::min(lineage_.gaps.size(), most_gaps); ++index) {
      findings_.push_back(index == 0 ? first_gap() : later_gap(lineage_.gaps[index]));
    }
    if (lineage_.gaps.size() <= most_gaps) return;
    const auto rest = lineage_.gaps.size() - most_gaps;
    auto finding = later_gap(lineage_.gaps[most_gaps]);
    finding.message = fmt::format("{} more gaps, the next at {}", rest, finding.object);
    findings_.push_back(std::move(finding));
  }

  Finding first_gap() const {
    const auto& gap = lineage_.gaps.front();
    const auto stop = to_text(start_of(gap.first_segment(), lineage_.segment_size));
    auto finding = later_gap(gap);
    finding.message += fmt::format(
        "; recovery from this backup stops at {}; nothing after the gap can be recovered", stop);
    if (lineage_.after_first_gap > 0) {
      finding.message +=
          fmt::format(" ({} segments after the gap cannot be used)", lineage_.after_first_gap);
    }
    finding.hint =
        "look for the segments in pg_wal of the primary and its standbys and in copies of the "
        "repository; if they are lost, take a new backup now (it starts after the gap)";
    finding.details["recovery_stops_at"] = stop;
    finding.details["before_gap"] = std::to_string(lineage_.before_first_gap);
    finding.details["after_gap"] = std::to_string(lineage_.after_first_gap);
    return finding;
  }

  Finding later_gap(const WalRange& gap) const {
    return {.code = FindingCode::wal_gap,
            .object = file_name(gap.first_segment(), lineage_.segment_size),
            .message = missing_text(gap, lineage_.segment_size),
            .details = {{"first", file_name(gap.first_segment(), lineage_.segment_size)},
                        {"last", file_name(gap.last_segment(), lineage_.segment_size)},
                        {"missing", std::to_string(gap.count())}}};
  }

  void add(const LineageProblem& problem) {
    const auto [code, hint] = explain(problem);
    findings_.push_back({.code = code,
                         .severity = problem.blocks ? Severity::error : Severity::note,
                         .object = problem.object,
                         .message = problem.message,
                         .hint = std::string(hint)});
  }

  static std::pair<FindingCode, std::string_view> explain(const LineageProblem& problem) {
    switch (problem.kind) {
      case LineageProblemKind::missing_history:
        return {FindingCode::timeline_history,
                "restore the history file (a server on a later timeline has it in pg_wal)"};
      case LineageProblemKind::unknown_timeline:
        return {FindingCode::timeline_missing,
                "correct recover_to.timeline, or restore the history file"};
      case LineageProblemKind::not_a_child:
        return {FindingCode::timeline_not_child,
                "recovery to latest fails with 'requested timeline is not a child': recover with "
                "`timeline: current`, and find the server that archived this timeline"};
      case LineageProblemKind::orphaned_branch:
        if (!problem.blocks)
          return {FindingCode::timeline_branch, "normal after a failover; no action needed"};
        return {FindingCode::timeline_parent_newer,
                "probably a copy was promoted with archiving enabled: recover with `timeline: "
                "current`, and remove its history file from the archive"};
      case LineageProblemKind::empty_timeline:
        return {
            FindingCode::timeline_branch,
            "normal in the first minutes after a promotion; otherwise check archive_command on the "
            "new primary"};
      case LineageProblemKind::duplicate:
        return {
            FindingCode::wal_duplicate,
            "two servers archive to the same stanza: stop the wrong one, and remove its copy of "
            "the segment"};
      case LineageProblemKind::wrong_size:
      case LineageProblemKind::damaged:
        return {FindingCode::wal_size, "restore the file from another copy of the repository"};
    }
    return {};
  }

  const WalLineage& lineage_;
  const Backup& backup_;
  std::vector<Finding> findings_;
};

std::string summarise(const WalLineage& lineage, const Backup& backup) {
  const bool offline = backup.start_segment.empty();
  return fmt::format(
      "{}{} segments from {} to {} on timeline {}, {} missing, {} timeline switches",
      offline ? "the backup is offline and needs no WAL; " : "", lineage.required_count,
      to_text(start_of(
          lineage.required.empty() ? WalSegment{} : lineage.required.front().first_segment(),
          lineage.segment_size)),
      to_text(lineage.archive_end), lineage.timeline, lineage.missing_count,
      lineage.switches.size());
}

class WalContinuityCheck : public RepositoryCheck {
 public:
  CheckOutcome run(const RepositoryContext& context) override {
    if (context.archive.segment_size == 0) return without_a_segment(context);
    const auto lineage = trace_lineage(
        context.archive, lineage_request(context.backup, context.scenario.target.timeline,
                                         context.archive.segment_size));
    return {.verdict = lineage.continuous() ? Verdict::pass : Verdict::fail,
            .findings = LineageFindings(lineage, context.backup).findings(),
            .summary = summarise(lineage, context.backup)};
  }

 private:
  // The segment size is that of a segment that could be fetched.
  static CheckOutcome without_a_segment(const RepositoryContext& context) {
    const bool empty = context.archive.segments.empty();
    return {
        .verdict = empty ? Verdict::fail : Verdict::unknown,
        .findings = {{.code = FindingCode::wal_missing,
                      .severity = empty ? Severity::error : Severity::unknown,
                      .object = context.backup.start_segment,
                      .message =
                          empty ? "the archive has no WAL: the backup is unusable"
                                : "no WAL segment could be fetched to determine the segment size",
                      .hint = "check archive_command and pg_stat_archiver on the primary"}},
        .summary = fmt::format("{} segments listed", context.archive.segments.size())};
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::wal_gap,
    FindingCode::wal_missing,
    FindingCode::wal_backup,
    FindingCode::wal_duplicate,
    FindingCode::wal_size,
    FindingCode::timeline_history,
    FindingCode::timeline_missing,
    FindingCode::timeline_not_child,
    FindingCode::timeline_parent_newer,
    FindingCode::timeline_branch,
});

}  // namespace

CheckDescription wal_continuity_check() {
  return {.name = "wal_continuity",
          .summary =
              "every WAL segment from the backup's first to the newest is archived, across "
              "timeline switches",
          .finds = finding_codes,
          .state = InstanceState::any,
          .create = create<WalContinuityCheck>};
}

}  // namespace pgrehearse
