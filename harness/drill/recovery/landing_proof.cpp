#include "harness/drill/recovery/landing_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

// Segments to read on each side in search of a transaction.
constexpr std::uint64_t most_segments = 8;

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
      : input_(input), stop_(std::move(stop)), segment_size_(input.lineage.segment_size) {}

  Landing prove() {
    Landing landing{.asked = to_text(input_.target)};
    const Lsn lsn = input_.recovery.replayed;
    landing.lsn = lsn;
    landing.timeline = timeline_of_landing(input_.lineage, input_.recovery.requests, lsn);
    landing.last_applied = newest_commit_before(lsn);
    landing.first_withheld = oldest_commit_from(lsn);
    landing.time = landing.last_applied && landing.last_applied->time
                       ? landing.last_applied->time
                       : input_.recovery.last_transaction;
    landing.abandoned = orphaned_before(lsn);
    if (input_.target.type == TargetType::latest) {
      prove_end_of_archive(landing);
    } else {
      prove_target(landing);
    }
    if (!unreadable_.empty()) {
      // The contents of these segments are unknown: no transaction in them counts as absent.
      if (input_.target.type == TargetType::latest) landing.proved = false;
      landing.proof += "; not readable in the archive: " + join(unreadable_, ", ");
    }
    if (!unexamined_.empty()) {
      landing.proved = false;
      landing.unexamined = unexamined_;
      landing.proof += "; the transactions around it were not examined: " + unexamined_;
    }
    return landing;
  }

 private:
  void prove_end_of_archive(Landing& landing) const {
    landing.archive_end = input_.lineage.archive_end;
    landing.proved = reaches_archive_end(*landing.lsn, input_.lineage.archive_end, segment_size_) &&
                     !landing.first_withheld;
    const auto missing = missing_at_end(input_.recovery.requests);
    landing.proof = fmt::format(
        "replayed to {}; the archive ends at {}; the next segment {} is not in the archive",
        to_text(*landing.lsn), to_text(*landing.archive_end), missing.value_or("(not requested)"));
  }

  void prove_target(Landing& landing) const {
    landing.proved =
        !input_.recovery.stopped_at.empty() || input_.target.type == TargetType::immediate;
    landing.proof = fmt::format("paused at {}{}{}", to_text(*landing.lsn),
                                input_.recovery.stopped_at.empty() ? "" : "; PostgreSQL reports: ",
                                input_.recovery.stopped_at);
  }

  std::optional<TransactionMark> newest_commit_before(Lsn lsn) {
    const auto at = segment_at(0, lsn, segment_size_).number;
    for (std::uint64_t back = 0; back < most_segments && back <= at; ++back) {
      const Lsn begin = start_of({.number = at - back}, segment_size_);
      const auto end = back == 0 ? lsn : Lsn{begin.value + segment_size_};
      if (end.value == begin.value) continue;
      const auto commits = commits_in(timeline_of(at - back), begin, end);
      if (!commits.empty()) return commits.back();
    }
    return {};
  }

  std::optional<TransactionMark> oldest_commit_from(Lsn lsn) {
    const auto first = segment_at(0, lsn, segment_size_).number;
    for (std::uint64_t ahead = 0; ahead < most_segments; ++ahead) {
      const auto number = first + ahead;
      const Lsn begin = ahead == 0 ? lsn : start_of({.number = number}, segment_size_);
      const Lsn end = start_of({.number = number + 1}, segment_size_);
      if (begin >= input_.lineage.archive_end) return {};
      const auto commits = commits_in(timeline_of(number), begin, end);
      if (!commits.empty()) return commits.front();
    }
    return {};
  }

  Timeline timeline_of(std::uint64_t segment) const {
    return timeline_of_file(input_.lineage, input_.recovery.requests, segment);
  }

  std::vector<OrphanedCommits> orphaned_before(Lsn landed) {
    std::vector<OrphanedCommits> all;
    const auto& switches = input_.lineage.switches;
    for (auto fork = switches.begin(); fork != switches.end() && fork->switch_lsn < landed;
         ++fork) {
      const auto next = std::next(fork);
      OrphanedCommits orphaned{
          .timeline = fork->timeline,
          .next = next == switches.end() ? input_.lineage.timeline : next->timeline,
          .switch_lsn = fork->switch_lsn};
      read_orphaned(orphaned);
      if (orphaned.transactions > 0) all.push_back(orphaned);
    }
    return all;
  }

  // Along the old timeline, from the fork to its last archived segment.
  void read_orphaned(OrphanedCommits& orphaned) {
    const auto fork = segment_at(orphaned.timeline, orphaned.switch_lsn, segment_size_);
    for (std::uint64_t ahead = 0; ahead < most_segments; ++ahead) {
      const WalSegment segment{.timeline = orphaned.timeline, .number = fork.number + ahead};
      if (!fetch(segment)) return;
      const auto begin = ahead == 0 ? orphaned.switch_lsn : start_of(segment, segment_size_);
      const Lsn end = start_of({.number = segment.number + 1}, segment_size_);
      const auto commits = commits_in(orphaned.timeline, begin, end);
      if (commits.empty()) continue;
      if (orphaned.transactions == 0) orphaned.first = commits.front();
      orphaned.last = commits.back();
      orphaned.transactions += commits.size();
    }
  }

  // Commit records that begin in [begin, end) of one segment.
  std::vector<TransactionMark> commits_in(Timeline timeline, Lsn begin, Lsn end) try {
    if (!unexamined_.empty()) return {};
    const auto segment = segment_at(timeline, begin, segment_size_);
    if (!fetch(segment)) return {};
    // A record may continue in the next segment; without it pg_waldump would stop before the
    // record.
    fetch({.timeline = timeline, .number = segment.number + 1});
    const auto result = input_.sandbox.run(
        {.program = input_.sandbox.program("pg_waldump"),
         .arguments = {"--path", input_.sandbox.paths().wal.string(), "--timeline",
                       std::to_string(timeline), "--rmgr", "Transaction", "--start", to_text(begin),
                       "--end", to_text(end)},
         .timeout = std::chrono::minutes(5)},
        stop_);
    throw_if_cancelled(result);
    auto commits = parse_commits(result.output);
    std::erase_if(commits, [&](const auto& mark) { return mark.lsn < begin || mark.lsn >= end; });
    return commits;
  } catch (const Error& error) {
    // Some PostgreSQL packages do not contain pg_waldump.
    if (error.code() != FindingCode::env_binary) throw;
    unexamined_ = error.what();
    return {};
  }

  bool fetch(WalSegment segment) {
    const auto name = file_name(segment, segment_size_);
    const auto known = std::find_if(fetched_.begin(), fetched_.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (known != fetched_.end()) return known->second;
    auto words = input_.repository.archive_get(input_.backup, input_.sandbox, WalFetch::single);
    Command command{.program = words.front(),
                    .arguments = {words.begin() + 1, words.end()},
                    .timeout = std::chrono::minutes(5)};
    command.arguments.push_back(name);
    command.arguments.push_back(input_.sandbox.paths().wal / name);
    const auto result = input_.sandbox.run(command, stop_);
    throw_if_cancelled(result);
    if (!result.succeeded() && result.exit_code != 1) {
      unreadable_.push_back(fmt::format("{} (exit code {})", name, result.exit_code));
    }
    fetched_.emplace_back(name, result.succeeded());
    return result.succeeded();
  }

  const LandingInput& input_;
  std::stop_token stop_;
  std::uint64_t segment_size_;
  std::vector<std::pair<std::string, bool>> fetched_;
  std::vector<std::string> unreadable_;
  std::string unexamined_;
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
