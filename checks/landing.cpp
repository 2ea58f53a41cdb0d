// Did recovery stop at the recovery target? PostgreSQL also ends recovery for other reasons, so the
// transactions on both sides of the landing are the proof.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "checks/checks.hpp"
#include "harness/primary/primary.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

namespace {

// A record may begin this far after the end of the previous one: a page header is in between.
constexpr std::uint64_t page_header = 40;

std::string describe(const TransactionMark& mark) {
  return fmt::format("{}transaction {} ({}{})", mark.aborted ? "rolled-back " : "", mark.xid,
                     to_text(mark.lsn), mark.time ? ", " + to_text(*mark.time) : "");
}

std::string history_of(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

class LandingEvaluation {
 public:
  explicit LandingEvaluation(const LandedContext& context)
      : context_(context), landing_(context.landing), target_(context.scenario.target) {}

  CheckOutcome evaluate() {
    evaluate_timeline();
    evaluate_orphaned_commits();
    evaluate_other_matches();
    switch (target_.type) {
      case TargetType::latest:
        evaluate_latest();
        break;
      case TargetType::immediate:
        evaluate_immediate();
        break;
      case TargetType::time:
        evaluate_time();
        break;
      case TargetType::lsn:
        evaluate_lsn();
        break;
      case TargetType::xid:
        evaluate_xid();
        break;
      case TargetType::name:
        break;
    }
    const bool by_position =
        target_.type == TargetType::latest || target_.type == TargetType::immediate;
    if (by_position && !landing_.unexamined.empty() && outcome_.findings.empty()) {
      return {.verdict = Verdict::skipped, .summary = landing_.proof};
    }
    if (!landing_.proved && outcome_.findings.empty()) unproved(landing_.proof);
    if (outcome_.findings.empty()) outcome_.verdict = Verdict::pass;
    add_lost_commits();
    note_promotion();
    outcome_.summary = fmt::format(
        "{}, timeline {}: {}", landing_.lsn ? to_text(*landing_.lsn) : "unknown position",
        landing_.timeline ? std::to_string(*landing_.timeline) : "?", landing_.proof);
    return std::move(outcome_);
  }

 private:
  void add(FindingCode code, std::string message, std::string_view hint, Verdict verdict) {
    Finding finding{.code = code,
                    .object = landing_.asked,
                    .message = std::move(message),
                    .hint = std::string(hint)};
    if (landing_.lsn) finding.details["landed"] = to_text(*landing_.lsn);
    if (landing_.last_applied) finding.details["last_applied"] = describe(*landing_.last_applied);
    if (landing_.first_withheld) {
      finding.details["first_withheld"] = describe(*landing_.first_withheld);
    }
    outcome_.findings.push_back(std::move(finding));
    if (outcome_.verdict != Verdict::fail) outcome_.verdict = verdict;
  }

  void unproved(const std::string& missing) {
    add(FindingCode::landing_unproved,
        fmt::format("there is no proof of where recovery stopped: {}",
                    missing.empty() ? "no evidence was recorded" : missing),
        "see logs/postgresql.log in the run directory for PostgreSQL's messages about the end of "
        "recovery",
        Verdict::unknown);
  }

  void wrong(std::string message) {
    add(FindingCode::landing_wrong, std::move(message),
        "the instance is not at the requested recovery target: do not use it", Verdict::fail);
  }

  void evaluate_timeline() {
    if (target_.timeline == "latest" || target_.timeline == "current" || !landing_.timeline) return;
    if (std::to_string(*landing_.timeline) == target_.timeline || is_before_branch_point()) return;
    wrong(fmt::format("recovery ended on timeline {}, but timeline {} was requested",
                      *landing_.timeline, target_.timeline));
  }

  // Whether the landing is on an ancestor of the requested timeline, before the branch point.
  [[nodiscard]] bool is_before_branch_point() const {
    const auto segment_size = context_.archive.segment_size;
    if (segment_size == 0 || !landing_.lsn) return false;
    const auto lineage = trace_lineage(
        context_.archive, lineage_request(context_.backup, target_.timeline, segment_size));
    if (std::to_string(lineage.timeline) != target_.timeline) return false;
    return std::ranges::any_of(lineage.switches, [&](const auto& fork) {
      return fork.timeline == *landing_.timeline && *landing_.lsn <= fork.switch_lsn;
    });
  }

  // Replay that continued on the old timeline past the branch point recovered transactions that
  // production does not have.
  void evaluate_orphaned_commits() {
    for (const auto& work : landing_.abandoned) {
      if (work.timeline != landing_.timeline) continue;
      add(FindingCode::timeline_old_primary,
          fmt::format("recovery continued on timeline {} past {}, where timeline {} branches off: "
                      "recovered {} that timeline {} does not have, from {} to {}",
                      work.timeline, to_text(work.switch_lsn), work.next,
                      transactions(work.transactions), work.next, describe(work.first),
                      describe(work.last)),
          "the archive has no WAL of the new timeline yet: check archive_command on the new "
          "primary, run `select pg_switch_wal()` there, and repeat the drill",
          Verdict::fail);
      outcome_.findings.back().object = history_of(work.next);
    }
  }

  // A note: the backup is not at fault.
  void add_lost_commits() {
    for (const auto& work : landing_.abandoned) {
      if (work.timeline == landing_.timeline) continue;
      outcome_.findings.push_back(
          {.code = FindingCode::timeline_orphaned_commits,
           .object = history_of(work.next),
           .message =
               fmt::format("{} committed on timeline {} after {}, where timeline {} branches off, "
                           "and on no later timeline: from {} to {}",
                           transactions(work.transactions), work.timeline, to_text(work.switch_lsn),
                           work.next, describe(work.first), describe(work.last)),
           .hint = fmt::format("a failover lost these commits; to inspect them, run a drill with "
                               "`recover_to: {{ latest: true, timeline: {} }}` and --keep",
                               work.timeline),
           .details = {{"transactions", std::to_string(work.transactions)},
                       {"switch_lsn", to_text(work.switch_lsn)}}});
    }
  }

  // The instance was never paused: checks that need that state ran after its promotion.
  void note_promotion() {
    if (landing_.promoted_because.empty()) return;
    outcome_.findings.push_back(
        {.code = FindingCode::snapshot_pending,
         .severity = Severity::note,
         .object = landing_.asked,
         .message = fmt::format(
             "recovery could not pause at {}: {}; the checks ran after promotion",
             landing_.lsn ? to_text(*landing_.lsn) : "the target", landing_.promoted_because),
         .hint = "to query the instance before promotion, choose another target"});
  }

  // A name, a transaction or a position can be in the WAL twice: PostgreSQL stops at the first one
  // on the timeline that it follows.
  void evaluate_other_matches() {
    if (!landing_.namesakes.empty()) {
      ambiguous(
          fmt::format("{} is also at {}", landing_.asked, to_text(landing_.namesakes.front())),
          target_.type == TargetType::name
              ? "give each restore point its own name, or recover to the LSN of the right one"
              : "set recover_to.timeline to the timeline of the right one");
    }
    if (target_.timeline != "latest") return;
    for (const auto& work : landing_.abandoned) {
      if (work.timeline == landing_.timeline) continue;
      const auto choose = fmt::format("to recover them, set recover_to.timeline: {}; otherwise {}",
                                      work.timeline, work.next);
      if (target_.type == TargetType::lsn && *target_.lsn > work.switch_lsn &&
          *target_.lsn <= work.last.lsn) {
        ambiguous(fmt::format("{} is on timeline {} and on timeline {}, which branches off at {}",
                              landing_.asked, work.timeline, work.next, to_text(work.switch_lsn)),
                  choose);
      }
      if (target_.type == TargetType::time && ends_at_fork(work) && work.first.time &&
          may_apply(*work.first.time < *target_.time, *work.first.time == *target_.time)) {
        add(FindingCode::target_orphaned,
            fmt::format("{} committed before {}, on timeline {} only: timeline {} branches off at "
                        "{}, before it",
                        describe(work.first), landing_.asked, work.timeline, work.next,
                        to_text(work.switch_lsn)),
            choose, Verdict::fail);
      }
    }
  }

  // Nothing was committed on the new timeline before the landing.
  [[nodiscard]] bool ends_at_fork(const OrphanedCommits& work) const {
    return !landing_.last_applied || landing_.last_applied->lsn < work.switch_lsn;
  }

  void ambiguous(std::string message, std::string_view hint) {
    add(FindingCode::target_ambiguous, std::move(message), hint, Verdict::unknown);
  }

  static std::string transactions(std::size_t count) {
    return count == 1 ? std::string("1 transaction") : fmt::format("{} transactions", count);
  }

  // The newest timeline of the archive is not always the one that production writes.
  void evaluate_against_primary() {
    const auto& at_start = context_.primary_at_start;
    if (!outcome_.findings.empty() || target_.timeline != "latest" || !landing_.timeline ||
        !at_start || at_start->system_identifier != context_.backup.system_identifier) {
      return;
    }
    const auto landed = *landing_.timeline;
    // If its history file is archived, the missing segments are still being written.
    if (landed < at_start->timeline && !context_.archive.histories.contains(at_start->timeline)) {
      add(FindingCode::timeline_outdated,
          fmt::format(
              "recovery to latest ended on timeline {}, but the primary has been on "
              "timeline {} since before the drill, and the archive has no WAL from that timeline",
              landed, at_start->timeline),
          "check archive_command and pg_stat_archiver on the new primary, and that the stanza is "
          "configured there",
          Verdict::fail);
      outcome_.findings.back().object = history_of(at_start->timeline);
    } else if (landed > at_start->timeline) {
      evaluate_newer_timeline(landed);
    }
  }

  // A failover since the start of the drill, or a timeline that no production server is on.
  void evaluate_newer_timeline(Timeline landed) {
    try {
      const auto now = context_.primary->identity(context_.stop);
      // A standby may not have followed the new timeline yet.
      if (now.in_recovery || landed <= now.timeline) return;
      add(FindingCode::timeline_diverged,
          fmt::format("recovery to latest ended on timeline {}, but the primary is on timeline {}: "
                      "its WAL after the branch point was not replayed",
                      landed, now.timeline),
          "probably a copy was promoted with archiving enabled: remove its history file from the "
          "archive; until then recover with `timeline: current` or the primary's timeline",
          Verdict::fail);
      outcome_.findings.back().object = history_of(landed);
    } catch (const SqlError&) {
      return;  // other checks report that the primary cannot be queried
    }
  }

  void evaluate_latest() {
    evaluate_against_primary();
    if (!landing_.lsn || !landing_.archive_end) {
      return unproved(landing_.lsn ? "the end of the archive is not known" : "unknown position");
    }
    const auto end = *landing_.archive_end;
    evaluate_branch();
    const auto segment_size = context_.archive.segment_size;
    evaluate_damage();
    const bool whole = reaches_archive_end(*landing_.lsn, end, segment_size);
    if (whole && !landing_.first_withheld) return;
    const auto segment = file_name(
        segment_at(landing_.timeline.value_or(1), *landing_.lsn, segment_size), segment_size);
    const auto short_of = end.value > landing_.lsn->value ? end.value - landing_.lsn->value : 0;
    auto message = fmt::format(
        "replay ended at {}, before or within segment {}, but the archive ends at {}: {} of WAL "
        "not replayed",
        to_text(*landing_.lsn), segment, to_text(end), to_text(Bytes{short_of}));
    if (landing_.first_withheld) {
      message += fmt::format(", first missing: {}", describe(*landing_.first_withheld));
    }
    add(FindingCode::landing_short, std::move(message),
        "PostgreSQL treats a missing or damaged segment as the end of the archive: see the check "
        "`wal_continuity`",
        Verdict::fail);
    // The segment that replay would have read next is missing or damaged.
    outcome_.findings.back().object = segment;
  }

  // PostgreSQL treats a record that it cannot read as the end of the WAL.
  void evaluate_damage() {
    if (landing_.damaged.empty() || is_foreign()) return;
    add(FindingCode::wal_damaged,
        fmt::format("WAL segment {} is in the archive but cannot be replayed past {}: every commit "
                    "after that position is lost",
                    landing_.damaged, to_text(*landing_.lsn)),
        "look for an undamaged copy of the segment in pg_wal of the primary and its standbys; take "
        "a new backup now: it does not need the segment",
        Verdict::fail);
    outcome_.findings.back().object = landing_.damaged;
  }

  // The check `startup` reports a segment of another cluster.
  [[nodiscard]] bool is_foreign() const {
    std::ifstream log(context_.log);
    for (std::string line; std::getline(log, line);) {
      if (line.find("WAL file is from different database system") != line.npos) return true;
    }
    return false;
  }

  // The end of the timeline that PostgreSQL chose may not be the end of the archive.
  void evaluate_branch() {
    if (context_.archive.segment_size == 0) return;
    const auto lineage = trace_lineage(
        context_.archive,
        lineage_request(context_.backup, target_.timeline, context_.archive.segment_size));
    for (const auto& problem : lineage.problems) {
      const bool other_branch = problem.kind == LineageProblemKind::missing_history ||
                                problem.kind == LineageProblemKind::orphaned_branch;
      if (!other_branch || !problem.blocks) continue;
      add(FindingCode::landing_short, problem.message,
          "the newest WAL is on a different timeline from the instance: see the check "
          "`wal_continuity`",
          Verdict::fail);
      outcome_.findings.back().object = problem.object;
    }
  }

  void evaluate_immediate() {
    if (!landing_.lsn) return unproved("unknown position");
    const auto& stop = context_.backup.stop_lsn;
    if (!stop || *landing_.lsn >= *stop) return;
    wrong(fmt::format("recovery stopped at {}, before the backup ended at {}",
                      to_text(*landing_.lsn), to_text(*stop)));
  }

  // PostgreSQL stops before the first commit after the target, or at the target if exclusive.
  void evaluate_time() {
    if (!target_.time) return unproved("the target has no time");
    const auto target = *target_.time;
    const auto& applied = landing_.last_applied;
    // PostgreSQL stops before rollbacks, too.
    const auto& withheld = landing_.first_withheld;
    if (applied && applied->time && !may_apply(*applied->time < target, *applied->time == target)) {
      wrong(fmt::format("{} was recovered, but is after {}", describe(*applied), landing_.asked));
    }
    if (!withheld || !withheld->time) {
      return unproved("no transaction after the target was found in the archive");
    }
    if (may_apply(*withheld->time < target, *withheld->time == target)) {
      wrong(fmt::format("{} is missing, but is before {}", describe(*withheld), landing_.asked));
    }
  }

  // Inclusive: the first record that begins at or after the target is still replayed.
  void evaluate_lsn() {
    if (!target_.lsn || !landing_.lsn || context_.archive.segment_size == 0) {
      return unproved("unknown position");
    }
    const auto target = *target_.lsn;
    const auto landed = *landing_.lsn;
    const bool early =
        target_.exclusive ? landed.value + page_header < target.value : landed <= target;
    // With a WAL switch right after the target, the next record begins with the next segment.
    const auto size = context_.archive.segment_size;
    const bool late = landed.value > (target.value / size + 2) * size;
    if (early || late) {
      wrong(fmt::format("recovery stopped at {}, {} {}", to_text(landed),
                        early ? "before" : "far past", landing_.asked));
    }
    const auto& withheld = landing_.first_withheld;
    const auto& applied = landing_.last_applied;
    if (withheld && withheld->lsn < target) {
      wrong(fmt::format("{} is missing, but is before {}", describe(*withheld), landing_.asked));
    }
    if (target_.exclusive && applied && applied->lsn >= target) {
      wrong(fmt::format("{} was recovered, but is after {}", describe(*applied), landing_.asked));
    }
  }

  void evaluate_xid() {
    if (!target_.xid) return unproved("the target has no transaction ID");
    // Rolled-back transactions and subtransactions match as well.
    const auto& last = landing_.last_ended ? landing_.last_ended : landing_.last_applied;
    const auto& edge = target_.exclusive ? landing_.first_withheld : last;
    const auto* side = target_.exclusive ? "first withheld" : "last applied";
    if (!edge) return unproved(fmt::format("the {} transaction is not known", side));
    if (edge->xid == *target_.xid) return;
    wrong(fmt::format("the {} transaction is {}, but {} was requested", side, describe(*edge),
                      landing_.asked));
  }

  [[nodiscard]] bool may_apply(bool before, bool at) const {
    return before || (at && !target_.exclusive);
  }

  const LandedContext& context_;
  const Landing& landing_;
  const RecoveryTarget& target_;
  CheckOutcome outcome_;
};

class LandingCheck : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    return LandingEvaluation(context).evaluate();
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::landing_short,
    FindingCode::landing_unproved,
    FindingCode::landing_wrong,
    FindingCode::timeline_old_primary,
    FindingCode::timeline_outdated,
    FindingCode::timeline_diverged,
    FindingCode::timeline_orphaned_commits,
    FindingCode::target_ambiguous,
    FindingCode::target_orphaned,
    FindingCode::snapshot_pending,
    FindingCode::wal_damaged,
});

}  // namespace

CheckDescription landing_check() {
  return {.name = "landing",
          .summary = "recovery stopped exactly at the recovery target",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .always = true,
          .create = create<LandingCheck>};
}

}  // namespace pgrehearse
