#include "harness/primary/snapshot/snapshot_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/poll_until.hpp"

namespace pgrehearse {

namespace {

constexpr std::chrono::milliseconds archive_timeout{std::chrono::minutes(2)};
// Reads of WAL that the server reports as archived before it counts as not stored.
constexpr int most_reads_in_vain = 2;

class SnapshotSearch {
 public:
  SnapshotSearch(SnapshotStrategy& strategy, Timeline timeline, const SnapshotRequest& request,
                 const std::stop_token& stop)
      : strategy_(strategy), timeline_(timeline), request_(request), stop_(stop) {}

  SnapshotAttempt search() {
    for (int round = 0; round < strategy_.rounds() && !pending().empty(); ++round) {
      try {
        if (!search_once()) break;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) throw;
        give_up(fmt::format("snapshots could not be evaluated: {}", error.what()));
        break;
      }
    }
    for (const auto& database : pending()) {
      attempt_.reasons[database] =
          fmt::format("none of {} snapshots fell between two commits", tried_[database]);
    }
    return std::move(attempt_);
  }

 private:
  [[nodiscard]] std::vector<std::string> pending() const {
    return without_answer(request_.databases, attempt_);
  }

  void give_up(const std::string& reason) {
    for (const auto& database : pending()) attempt_.reasons[database] = reason;
  }

  // False: another round would not help.
  bool search_once() {
    candidates_.clear();
    strategy_.begin_round();
    connect_candidates();
    take_all();
    choose({});
    if (pending().empty() || candidates_.empty()) return false;
    if (!request_.read_commits) {
      give_up("the WAL archive is needed to evaluate snapshots");
      return false;
    }
    const auto end = std::ranges::max_element(candidates_, {}, &Candidate::end)->end;
    const auto begin = std::ranges::min_element(candidates_, {}, &Candidate::begin)->begin;
    const auto obstacle = strategy_.end_round(end);
    const auto commits = wait_for_commits(begin, end);
    if (!commits && reads_in_vain_ >= most_reads_in_vain) {
      give_up(
          fmt::format("the server reports the WAL up to {} as archived, and the repository "
                      "does not have it",
                      to_text(end)));
      return false;
    }
    if (!commits) {
      give_up(fmt::format("the WAL up to {} was not archived within {}{}{}", to_text(end),
                          to_text(Seconds(timeout())), obstacle.empty() ? "" : "; ", obstacle));
      return false;
    }
    choose(commits);
    return true;
  }

  // All are connected before the first snapshot is taken, to be milliseconds apart.
  void connect_candidates() {
    const auto databases = pending();
    const auto count = candidates_per_database(databases.size());
    for (std::size_t number = 0; number < count; ++number) {
      for (const auto& database : databases) {
        if (attempt_.reasons.contains(database)) continue;
        try {
          Candidate candidate{.held = {.facts = {.database = database}}};
          candidate.held.holder = strategy_.connect(database);
          candidates_.push_back(std::move(candidate));
        } catch (const SqlError& error) {
          // A server without a connection to spare gets fewer candidates.
          if (number == 0) attempt_.reasons[database] = error.what();
        }
      }
    }
  }

  void take_all() {
    std::map<std::string, std::string> failures;
    std::erase_if(candidates_, [&](Candidate& candidate) {
      const auto& database = candidate.held.facts.database;
      try {
        strategy_.take(candidate);
        ++tried_[database];
        return false;
      } catch (const SqlError& error) {
        failures[database] = error.what();
        return true;
      }
    });
    for (const auto& [database, failure] : failures) {
      const auto is_here = [&](const auto& each) { return each.held.facts.database == database; };
      if (std::ranges::none_of(candidates_, is_here)) attempt_.reasons[database] = failure;
    }
  }

  [[nodiscard]] std::chrono::milliseconds timeout() const {
    return std::min(archive_timeout, request_.budget.time.value_or(archive_timeout));
  }

  std::optional<Commits> wait_for_commits(Lsn begin, Lsn end) {
    std::optional<Commits> commits;
    reads_in_vain_ = 0;
    poll_until(std::chrono::steady_clock::now() + timeout(), strategy_.poll_interval(), stop_, [&] {
      if (!strategy_.may_be_archived()) return false;
      commits = request_.read_commits(timeline_, begin, end, stop_);
      if (!commits && strategy_.reported_as_archived()) ++reads_in_vain_;
      return commits.has_value() || reads_in_vain_ == most_reads_in_vain;
    });
    return commits;
  }

  // Without commits: only those that are exact anyway.
  void choose(const std::optional<Commits>& commits) {
    std::map<std::string, Candidate*> best;
    for (auto& candidate : candidates_) {
      const auto& database = candidate.held.facts.database;
      if (attempt_.taken.contains(database)) continue;
      const auto position = candidate.known_exact ? std::optional(candidate.begin)
                            : commits             ? strategy_.position_of(candidate, *commits)
                                                  : std::nullopt;
      if (!position) continue;
      candidate.held.facts.lsn = *position;
      auto& chosen = best[database];
      if (chosen == nullptr || candidate.locks <= chosen->locks) chosen = &candidate;
    }
    for (auto& [database, candidate] : best) accept(*candidate);
  }

  void accept(Candidate& candidate) {
    auto& facts = candidate.held.facts;
    facts.exact = true;
    facts.method = strategy_.method();
    facts.exclusive = true;
    facts.candidates = tried_[facts.database];
    facts.explanation = strategy_.explanation(candidate);
    attempt_.taken.insert_or_assign(facts.database, std::move(candidate.held));
  }

  SnapshotStrategy& strategy_;
  Timeline timeline_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
  SnapshotAttempt attempt_;
  std::vector<Candidate> candidates_;  // of this round
  std::map<std::string, std::uint64_t> tried_;
  int reads_in_vain_ = 0;
};

}  // namespace

SnapshotAttempt search_snapshots(SnapshotStrategy& strategy, Timeline timeline,
                                 const SnapshotRequest& request, const std::stop_token& stop) {
  return SnapshotSearch(strategy, timeline, request, stop).search();
}

}  // namespace pgrehearse
