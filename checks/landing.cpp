// Did recovery stop where it was asked to? PostgreSQL takes much for the end of recovery: only the
// transactions on both sides of the landing tell.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "harness/primary/primary.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

namespace {

// A record may begin this far behind the end of the one before it: a page header lies in between.
constexpr std::uint64_t page_header = 40;

std::string describe(const TransactionMark& mark) {
  return fmt::format("transaction {} ({}{})", mark.xid, to_text(mark.lsn),
                     mark.time ? ", " + to_postgres_timestamp(*mark.time) : "");
}

std::string history_of(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

class Judge {
 public:
  explicit Judge(const LandedContext& context)
      : context_(context), landing_(context.landing), target_(context.scenario.target) {}

  CheckOutcome judge() {
    judge_timeline();
    judge_abandoned_work();
    switch (target_.type) {
      case TargetType::latest:
        judge_latest();
        break;
      case TargetType::immediate:
        judge_immediate();
        break;
      case TargetType::time:
        judge_time();
        break;
      case TargetType::lsn:
        judge_lsn();
        break;
      case TargetType::xid:
        judge_xid();
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
    note_lost_work();
    outcome_.summary =
        fmt::format("{}, timeline {}: {}", landing_.lsn ? to_text(*landing_.lsn) : "no position",
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
        fmt::format("where recovery stopped is not proved: {}",
                    missing.empty() ? "no evidence was recorded" : missing),
        "see logs/postgresql.log of the run for what PostgreSQL says of its stop",
        Verdict::unknown);
  }

  void wrong(std::string message) {
    add(FindingCode::landing_wrong, std::move(message),
        "the instance does not show the point in time that was asked for: do not use it",
        Verdict::fail);
  }

  void judge_timeline() {
    if (target_.timeline == "latest" || target_.timeline == "current" || !landing_.timeline) return;
    if (std::to_string(*landing_.timeline) == target_.timeline || lies_on_the_way()) return;
    wrong(fmt::format("recovery landed on timeline {}, asked was {}", *landing_.timeline,
                      target_.timeline));
  }

  // In front of the point where the way to the timeline that was asked for leaves an older one.
  [[nodiscard]] bool lies_on_the_way() const {
    const auto segment_size = context_.archive.segment_size;
    if (segment_size == 0 || !landing_.lsn) return false;
    const auto lineage = trace_lineage(
        context_.archive, lineage_request(context_.backup, target_.timeline, segment_size));
    if (std::to_string(lineage.timeline) != target_.timeline) return false;
    return std::ranges::any_of(lineage.switches, [&](const auto& fork) {
      return fork.timeline == *landing_.timeline && *landing_.lsn <= fork.switch_lsn;
    });
  }

  // Replay that went on along the old timeline, behind the point where the next one left it,
  // brought back what production does not have.
  void judge_abandoned_work() {
    for (const auto& work : landing_.abandoned) {
      if (work.timeline != landing_.timeline) continue;
      add(FindingCode::timeline_old_primary,
          fmt::format("recovery went on along timeline {} behind {}, where timeline {} left it: {} "
                      "came back that the servers on timeline {} do not have, from {} to {}",
                      work.timeline, to_text(work.switch_lsn), work.next,
                      transactions(work.transactions), work.next, describe(work.first),
                      describe(work.last)),
          "the archive has no WAL of the new timeline yet: look at archive_command on the new "
          "primary, end its first segment (select pg_switch_wal()), and drill again",
          Verdict::fail);
      outcome_.findings.back().object = history_of(work.next);
    }
  }

  // Worth knowing, and no fault of the backup.
  void note_lost_work() {
    for (const auto& work : landing_.abandoned) {
      if (work.timeline == landing_.timeline) continue;
      outcome_.findings.push_back(
          {.code = FindingCode::timeline_orphaned_commits,
           .object = history_of(work.next),
           .message =
               fmt::format("{} committed on timeline {} behind {}, where timeline {} left "
                           "it, and on no later timeline: from {} to {}",
                           transactions(work.transactions), work.timeline, to_text(work.switch_lsn),
                           work.next, describe(work.first), describe(work.last)),
           .hint = fmt::format("a failover lost this work; a drill with `recover_to: {{ latest: "
                               "true, timeline: {} }}` and --keep brings it back to be looked at",
                               work.timeline),
           .details = {{"transactions", std::to_string(work.transactions)},
                       {"switch_lsn", to_text(work.switch_lsn)}}});
    }
  }

  static std::string transactions(std::size_t count) {
    return count == 1 ? std::string("1 transaction") : fmt::format("{} transactions", count);
  }

  // The newest timeline of the archive is not always the one that production writes.
  void judge_against_primary() {
    const auto& at_start = context_.primary_at_start;
    if (!outcome_.findings.empty() || target_.timeline != "latest" || !landing_.timeline ||
        !at_start || at_start->system_identifier != context_.backup.system_identifier) {
      return;
    }
    const auto landed = *landing_.timeline;
    // With its history file there, the rest is on its way like any segment that is being written.
    if (landed < at_start->timeline && !context_.archive.histories.contains(at_start->timeline)) {
      add(FindingCode::timeline_outdated,
          fmt::format("recovery to the latest point ended on timeline {}, the primary has been on "
                      "timeline {} since before the drill, of which the archive knows nothing: "
                      "what was written there does not come back",
                      landed, at_start->timeline),
          "look at archive_command and pg_stat_archiver on the new primary: is the stanza "
          "configured there?",
          Verdict::fail);
      outcome_.findings.back().object = history_of(at_start->timeline);
    } else if (landed > at_start->timeline) {
      judge_newer_timeline(landed);
    }
  }

  // A failover since the start of the drill, or a timeline that no production server is on.
  void judge_newer_timeline(Timeline landed) {
    try {
      const auto now = context_.primary->identity(context_.stop);
      // A standby may be late to hear of it.
      if (now.in_recovery || landed <= now.timeline) return;
      add(FindingCode::timeline_diverged,
          fmt::format("recovery to the latest point ended on timeline {}, but the primary is on "
                      "timeline {}: what it wrote since they parted does not come back",
                      landed, now.timeline),
          "a copy that was promoted with archiving on does this; remove its history file from the "
          "archive, until then recover with `timeline: current` or the primary's number",
          Verdict::fail);
      outcome_.findings.back().object = history_of(landed);
    } catch (const SqlError&) {
      return;  // the other checks tell that the primary cannot be asked
    }
  }

  void judge_latest() {
    judge_against_primary();
    if (!landing_.lsn || !landing_.archive_end) {
      return unproved(landing_.lsn ? "the end of the archive is not known" : "no position");
    }
    const auto end = *landing_.archive_end;
    judge_branch();
    const auto segment_size = context_.archive.segment_size;
    const bool whole = reaches_archive_end(*landing_.lsn, end, segment_size);
    if (whole && !landing_.first_withheld) return;
    const auto segment = file_name(
        segment_at(landing_.timeline.value_or(1), *landing_.lsn, segment_size), segment_size);
    const auto short_of = end.value > landing_.lsn->value ? end.value - landing_.lsn->value : 0;
    auto message = fmt::format(
        "replay ended at {}, in front of or within segment {}, the archive reaches to {}: {} of "
        "WAL were "
        "not replayed",
        to_text(*landing_.lsn), segment, to_text(end), to_text(Bytes{short_of}));
    if (landing_.first_withheld) {
      message +=
          fmt::format(", {} the first of what is missing", describe(*landing_.first_withheld));
    }
    add(FindingCode::landing_short, std::move(message),
        "a missing or damaged segment looks like the end of the archive: see `wal_continuity`",
        Verdict::fail);
    // What replay would have read next is what is missing or damaged.
    outcome_.findings.back().object = segment;
  }

  // The end of a branch that PostgreSQL took for the newest is not the end of what was archived.
  void judge_branch() {
    if (context_.archive.segment_size == 0) return;
    const auto lineage = trace_lineage(
        context_.archive,
        lineage_request(context_.backup, target_.timeline, context_.archive.segment_size));
    for (const auto& problem : lineage.problems) {
      const bool other_branch = problem.kind == LineageProblemKind::missing_history ||
                                problem.kind == LineageProblemKind::orphaned_branch;
      if (!other_branch || !problem.blocks) continue;
      add(FindingCode::landing_short, problem.message,
          "the newest WAL lies on another timeline than the instance: see `wal_continuity`",
          Verdict::fail);
      outcome_.findings.back().object = problem.object;
    }
  }

  void judge_immediate() {
    if (!landing_.lsn) return unproved("no position");
    const auto& stop = context_.backup.stop_lsn;
    if (!stop || *landing_.lsn >= *stop) return;
    wrong(fmt::format("recovery stopped at {}, before the backup ended at {}",
                      to_text(*landing_.lsn), to_text(*stop)));
  }

  // PostgreSQL stops before the first commit behind the target, or at it when exclusive.
  void judge_time() {
    if (!target_.time) return unproved("the target has no time");
    const auto target = *target_.time;
    const auto& applied = landing_.last_applied;
    const auto& withheld = landing_.first_withheld;
    if (applied && applied->time && !may_apply(*applied->time < target, *applied->time == target)) {
      wrong(fmt::format("{} came back, which is behind {}", describe(*applied), landing_.asked));
    }
    if (!withheld || !withheld->time) {
      return unproved("no transaction behind the target was found in the archive");
    }
    if (may_apply(*withheld->time < target, *withheld->time == target)) {
      wrong(fmt::format("{} is missing, which belongs to {}", describe(*withheld), landing_.asked));
    }
  }

  // Inclusive: the first record that begins at the target or behind it is still replayed.
  void judge_lsn() {
    if (!target_.lsn || !landing_.lsn || context_.archive.segment_size == 0) {
      return unproved("no position");
    }
    const auto target = *target_.lsn;
    const auto landed = *landing_.lsn;
    const bool early =
        target_.exclusive ? landed.value + page_header < target.value : landed <= target;
    // A switch right behind the target: the next record begins with the next segment.
    const auto size = context_.archive.segment_size;
    const bool late = landed.value > (target.value / size + 2) * size;
    if (early || late) {
      wrong(fmt::format("recovery stopped at {}, {} {}", to_text(landed),
                        early ? "before" : "far behind", landing_.asked));
    }
    const auto& withheld = landing_.first_withheld;
    const auto& applied = landing_.last_applied;
    if (withheld && withheld->lsn < target) {
      wrong(fmt::format("{} is missing, which belongs to {}", describe(*withheld), landing_.asked));
    }
    if (target_.exclusive && applied && applied->lsn >= target) {
      wrong(fmt::format("{} came back, which is behind {}", describe(*applied), landing_.asked));
    }
  }

  void judge_xid() {
    if (!target_.xid) return unproved("the target has no transaction");
    const auto& edge = target_.exclusive ? landing_.first_withheld : landing_.last_applied;
    const auto* side = target_.exclusive ? "first withheld" : "last applied";
    if (!edge) return unproved(fmt::format("the {} transaction is not known", side));
    if (edge->xid == *target_.xid) return;
    wrong(fmt::format("the {} transaction is {}, asked was {}", side, describe(*edge),
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
  CheckOutcome run(const LandedContext& context) override { return Judge(context).judge(); }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::landing_short,
    FindingCode::landing_unproved,
    FindingCode::landing_wrong,
    FindingCode::timeline_old_primary,
    FindingCode::timeline_outdated,
    FindingCode::timeline_diverged,
    FindingCode::timeline_orphaned_commits,
});

}  // namespace

CheckDescription landing_check() {
  return {.name = "landing",
          .summary = "recovery stopped exactly where it was asked to",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .always = true,
          .create = create<LandingCheck>};
}

}  // namespace pgrehearse
