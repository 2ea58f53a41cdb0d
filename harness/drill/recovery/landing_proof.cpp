#include "harness/drill/recovery/landing_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "harness/common/text.hpp"
#include "harness/drill/recovery/segment_reader.hpp"

namespace pgrehearse {

namespace {

// Segments to read on each side in search of a transaction.
constexpr std::uint64_t most_segments = 8;
// For the search for other restore points of the same name, to the end of the archive.
constexpr std::chrono::seconds namesake_budget{30};

Timeline timeline_of_history(const WalLineage& lineage, Lsn lsn) {
  for (const auto& fork : lineage.switches) {
    if (lsn <= fork.switch_lsn) return fork.timeline;
  }
  return lineage.timeline;
}

// The timeline of the file that replay read for this segment. If it read none: a segment with a
// switch belongs to the newer timeline, and after a switch the older timeline continues as long as
// the newer one has no segment.
Timeline timeline_of_file(const WalLineage& lineage, const std::vector<WalRequest>& requests,
                          std::uint64_t number) {
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    const auto file = parse_wal_segment(request->file, lineage.segment_size);
    if (request->exit_code == 0 && file && file->number == number) return file->timeline;
  }
  for (const auto& range : lineage.required) {
    if (range.first <= number && number <= range.last) return range.timeline;
  }
  const bool after = !lineage.required.empty() && number > lineage.required.back().last;
  if (after) return lineage.required.back().timeline;
  return timeline_of_history(lineage, start_of({.number = number + 1}, lineage.segment_size));
}

class LandingProof {
 public:
  LandingProof(const LandingInput& input, std::stop_token stop)
      : input_(input),
        segment_size_(input.lineage.segment_size),
        reader_(input.sandbox, input.repository, input.backup, segment_size_, std::move(stop)) {}

  Landing prove() {
    Landing landing{.asked = to_text(input_.target),
                    .target_time = input_.target.time,
                    .utc_offset = static_cast<int>(input_.target.utc_offset.count()),
                    .promoted_because = input_.recovery.promoted_because};
    const Lsn lsn = input_.recovery.replayed;
    landing.lsn = lsn;
    landing.timeline = timeline_of_landing(input_.lineage, input_.recovery.requests, lsn);
    find_last_before(lsn, landing);
    landing.first_withheld = first_from(lsn);
    landing.time = landing.last_applied && landing.last_applied->time
                       ? landing.last_applied->time
                       : input_.recovery.last_transaction;
    examine_abandoned_branches(landing);
    if (input_.target.type == TargetType::latest) {
      prove_end_of_archive(landing);
    } else {
      prove_target(landing);
    }
    if (input_.target.type == TargetType::name) find_later_namesakes(landing);
    auto unreadable = reader_.unreadable();
    unreadable.insert(unreadable.end(), problems_.begin(), problems_.end());
    if (!unreadable.empty()) {
      // The contents of these segments are unknown: no transaction in them counts as absent.
      if (input_.target.type == TargetType::latest) landing.proved = false;
      landing.proof += "; not readable in the archive: " + join(unreadable, ", ");
    }
    if (!reader_.unexamined().empty()) {
      landing.proved = false;
      landing.unexamined = reader_.unexamined();
      landing.proof += "; the transactions around it were not examined: " + landing.unexamined;
    }
    return landing;
  }

 private:
  void prove_end_of_archive(Landing& landing) {
    landing.archive_end = input_.lineage.archive_end;
    const auto lsn = *landing.lsn;
    auto ended = fmt::format("replayed to {}; the archive ends at {}", to_text(lsn),
                             to_text(*landing.archive_end));
    const auto& end = input_.recovery.end;
    std::string reason = "PostgreSQL fetched it repeatedly and could not replay it";
    if (end && end->unreadable) landing.damaged = end->segment;
    // Archived segments are complete: their last record ends with them or continues in the next
    // one. A segment switch ends with its segment, too.
    if (const auto offset = lsn.value % segment_size_; offset != 0) {
      const auto last = segment_of(lsn.value / segment_size_);
      if (const auto& problem = reader_.transactions(last).problem; !problem.empty()) {
        landing.damaged = reader_.name_of(last);
        reason = problem;
      }
    }
    landing.proved = reaches_archive_end(lsn, input_.lineage.archive_end, segment_size_) &&
                     !landing.first_withheld && landing.damaged.empty();
    if (landing.damaged.empty()) {
      landing.proof = fmt::format("{}; the next segment {} is not in the archive", ended,
                                  end ? end->segment : "(not requested)");
    } else {
      landing.proof = fmt::format("{}; segment {} is in the archive but cannot be read: {}", ended,
                                  landing.damaged, reason);
    }
  }

  void prove_target(Landing& landing) const {
    landing.proved =
        !input_.recovery.stopped_at.empty() || input_.target.type == TargetType::immediate;
    landing.proof = fmt::format(
        "{} at {}{}{}", landing.promoted_because.empty() ? "paused" : "recovery ended",
        to_text(*landing.lsn), input_.recovery.stopped_at.empty() ? "" : "; PostgreSQL reports: ",
        input_.recovery.stopped_at);
  }

  void find_last_before(Lsn lsn, Landing& landing) {
    const auto at = lsn.value / segment_size_;
    for (std::uint64_t back = 0; back < most_segments && back <= at; ++back) {
      if (start_of({.number = at - back}, segment_size_) >= lsn) continue;
      const auto segment = segment_of(at - back);
      const auto& [archived, ends, problem] = reader_.transactions(segment);
      if (back > 0 && !problem.empty()) note_problem(segment, problem);
      for (auto mark = ends.rbegin(); mark != ends.rend(); ++mark) {
        if (mark->lsn >= lsn) continue;
        if (!landing.last_ended) landing.last_ended = *mark;
        if (mark->aborted) continue;
        landing.last_applied = *mark;
        return;
      }
    }
  }

  std::optional<TransactionMark> first_from(Lsn lsn) {
    const auto first = lsn.value / segment_size_;
    for (std::uint64_t ahead = 0; ahead < most_segments; ++ahead) {
      const auto segment = segment_of(first + ahead);
      if (start_of(segment, segment_size_) >= input_.lineage.archive_end) return {};
      const auto& [archived, ends, problem] = reader_.transactions(segment);
      const auto found = std::ranges::find_if(ends, [&](const auto& m) { return m.lsn >= lsn; });
      if (found != ends.end()) return *found;
      if (!problem.empty()) {
        if (input_.target.type != TargetType::latest) note_problem(segment, problem);
        return {};
      }
    }
    return {};
  }

  WalSegment segment_of(std::uint64_t number) const {
    return {.timeline = timeline_of_file(input_.lineage, input_.recovery.requests, number),
            .number = number};
  }

  void note_problem(WalSegment segment, const std::string& problem) {
    problems_.push_back(fmt::format("{} ({})", reader_.name_of(segment), problem));
  }

  void examine_abandoned_branches(Landing& landing) {
    const auto& switches = input_.lineage.switches;
    for (auto fork = switches.begin(); fork != switches.end() && fork->switch_lsn < *landing.lsn;
         ++fork) {
      const auto next = std::next(fork);
      OrphanedCommits orphaned{
          .timeline = fork->timeline,
          .next = next == switches.end() ? input_.lineage.timeline : next->timeline,
          .switch_lsn = fork->switch_lsn};
      read_orphaned(orphaned, landing);
      if (orphaned.transactions > 0) landing.abandoned.push_back(orphaned);
    }
  }

  // Along the old timeline, from the fork to its last archived segment.
  void read_orphaned(OrphanedCommits& orphaned, Landing& landing) {
    const auto fork = segment_at(orphaned.timeline, orphaned.switch_lsn, segment_size_);
    for (std::uint64_t ahead = 0; ahead < most_segments; ++ahead) {
      const WalSegment segment{.timeline = orphaned.timeline, .number = fork.number + ahead};
      const auto& [archived, ends, problem] = reader_.transactions(segment);
      if (!archived) return;
      for (const auto& mark : ends) {
        if (mark.lsn < orphaned.switch_lsn) continue;
        if (mark.xid == input_.target.xid) landing.namesakes.push_back(mark.lsn);
        if (mark.aborted) continue;
        if (orphaned.transactions == 0) orphaned.first = mark;
        orphaned.last = mark;
        ++orphaned.transactions;
      }
      if (input_.target.type != TargetType::name) continue;
      for (const auto point : reader_.restore_points(segment, input_.target.name)) {
        if (point >= orphaned.switch_lsn) landing.namesakes.push_back(point);
      }
    }
  }

  // Recovery stops at the first restore point of the name.
  void find_later_namesakes(Landing& landing) {
    const auto deadline = std::chrono::steady_clock::now() + namesake_budget;
    const auto end = (input_.lineage.archive_end.value + segment_size_ - 1) / segment_size_;
    for (auto number = landing.lsn->value / segment_size_; number < end; ++number) {
      if (std::chrono::steady_clock::now() > deadline) {
        landing.proof += fmt::format("; the name was searched for up to segment {}",
                                     reader_.name_of(segment_of(number)));
        return;
      }
      for (const auto point : reader_.restore_points(segment_of(number), input_.target.name)) {
        if (point < *landing.lsn) continue;
        landing.namesakes.push_back(point);
        return;
      }
    }
  }

  const LandingInput& input_;
  std::uint64_t segment_size_;
  SegmentReader reader_;
  std::vector<std::string> problems_;  // segments that pg_waldump could not read to their end
};

}  // namespace

Timeline timeline_of_landing(const WalLineage& lineage, const std::vector<WalRequest>& requests,
                             Lsn lsn) {
  const auto last_byte = lsn.value == 0 ? 0 : lsn.value - 1;
  const auto file = timeline_of_file(lineage, requests, last_byte / lineage.segment_size);
  // The timeline was archived after the archive was listed.
  if (file > lineage.timeline) return file;
  return std::min(timeline_of_history(lineage, lsn), file);
}

Landing prove_landing(const LandingInput& input, std::stop_token stop) {
  return LandingProof(input, std::move(stop)).prove();
}

}  // namespace pgrehearse
