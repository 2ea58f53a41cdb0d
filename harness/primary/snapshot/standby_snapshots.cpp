#include <fmt/format.h>

#include <algorithm>

#include "harness/common/poll_until.hpp"
#include "harness/primary/snapshot/snapshot_methods.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_rounds = 3;
constexpr std::chrono::milliseconds archive_patience{std::chrono::minutes(2)};
constexpr std::chrono::milliseconds look_interval{500};

// Sent as one batch: between the first and the last only microseconds pass. The snapshot is taken
// before the last statement runs, which therefore reads positions behind it. What a standby lists
// as running is incomplete (its snapshots keep it elsewhere), so only positions can be judged.
std::vector<std::string> take_statements() {
  return {"select pg_last_wal_replay_lsn()", "begin isolation level repeatable read read only",
          "select pg_export_snapshot(), pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn(), "
          "(select count(*) from pg_stat_wal_receiver)"};
}

struct Candidate {
  HeldSnapshot held;
  Lsn before;
  Lsn after;
  // Nothing had been received that was not applied: no record can have been half applied.
  bool all_applied = false;
  std::uint64_t locks = 0;
};

class StandbySearch {
 public:
  StandbySearch(const Primary& primary, const SnapshotServer& server,
                const SnapshotRequest& request, const std::stop_token& stop)
      : primary_(primary), server_(server), request_(request), stop_(stop) {}

  SnapshotAttempt search() {
    for (int round = 0; round < most_rounds && !pending().empty(); ++round) {
      candidates_.clear();
      const auto databases = pending();
      for (const auto& database : databases) take(database, candidates_each(databases.size()));
      choose({});
      if (!pending().empty() && !judge_by_archive()) break;
    }
    for (const auto& database : pending()) {
      attempt_.reasons[database] = fmt::format(
          "none of {} snapshots of the standby lay between two commits", tried_[database]);
    }
    return std::move(attempt_);
  }

 private:
  [[nodiscard]] std::vector<std::string> pending() const {
    return without_answer(request_.databases, attempt_);
  }

  void take(const std::string& database, std::size_t count) {
    try {
      for (std::size_t number = 0; number < count; ++number) take_one(database);
    } catch (const SqlError& error) {
      // Those that were taken before a server ran out of connections serve.
      if (!has_candidate(database)) attempt_.reasons[database] = error.what();
    }
  }

  [[nodiscard]] bool has_candidate(const std::string& database) const {
    return std::any_of(candidates_.begin(), candidates_.end(), [&](const auto& candidate) {
      return candidate.held.facts.database == database;
    });
  }

  void take_one(const std::string& database) {
    Candidate candidate{.held = {.facts = {.database = database}}};
    auto& holder =
        candidate.held.holder.emplace(connect_holder(primary_, database, request_.budget, stop_));
    const auto results = holder.pipeline(take_statements());
    for (const auto& result : results) {
      if (!result.error.empty()) {
        throw SqlError(ErrorKind::environment, result.error, result.sqlstate);
      }
    }
    const auto& last = results[2].rows;
    candidate.held.facts.taken = std::chrono::system_clock::now();
    candidate.held.name = last.text(0, 0);
    candidate.before = parse_lsn(results[0].rows.text(0, 0)).value_or(Lsn{});
    candidate.after = parse_lsn(last.text(0, 1)).value_or(Lsn{});
    candidate.all_applied = candidate.before == candidate.after && last.text(0, 3) == "1" &&
                            parse_lsn(last.text(0, 2)) == candidate.before;
    candidate.locks = count_exclusive_locks(holder);
    candidates_.push_back(std::move(candidate));
    ++tried_[database];
  }

  // False: another round would not help.
  bool judge_by_archive() {
    if (candidates_.empty()) return false;
    if (!request_.read_commits) {
      refuse("the WAL archive is needed to judge snapshots");
      return false;
    }
    auto begin = candidates_.front().before;
    auto end = candidates_.front().after;
    for (const auto& candidate : candidates_) {
      begin = std::min(begin, candidate.before);
      end = std::max(end, candidate.after);
    }
    const auto patience =
        std::min(archive_patience, request_.budget.time.value_or(archive_patience));
    const auto deadline = Clock::now() + patience;
    while (Clock::now() < deadline) {
      // The record that begins at `end` is asked for, too.
      const Lsn behind{end.value + 1};
      if (const auto commits = request_.read_commits(server_.timeline, begin, behind, stop_)) {
        choose(*commits);
        return true;
      }
      if (!wait_for(look_interval, stop_)) throw Error(ErrorKind::interrupted, "interrupted");
    }
    refuse(fmt::format("the WAL up to {} did not come to the archive within {}", to_text(end),
                       to_text(Seconds(patience))));
    return false;
  }

  void refuse(const std::string& reason) {
    for (const auto& database : pending()) attempt_.reasons[database] = reason;
  }

  // Without commits: only where none can have been half applied.
  void choose(const std::optional<std::vector<TransactionMark>>& commits) {
    std::map<std::string, std::pair<Candidate*, Lsn>> best;
    for (auto& candidate : candidates_) {
      if (attempt_.taken.contains(candidate.held.facts.database)) continue;
      const auto cut = candidate.all_applied ? std::optional(candidate.before)
                       : commits ? find_replay_cut(candidate.before, candidate.after, *commits)
                                 : std::nullopt;
      if (!cut) continue;
      auto& [chosen, lsn] = best[candidate.held.facts.database];
      if (chosen != nullptr && candidate.locks > chosen->locks) continue;
      chosen = &candidate;
      lsn = *cut;
    }
    for (auto& [database, found] : best) accept(*found.first, found.second);
  }

  void accept(Candidate& candidate, Lsn cut) {
    auto& facts = candidate.held.facts;
    facts.exact = true;
    facts.method = "standby";
    facts.lsn = cut;
    facts.exclusive = true;
    facts.candidates = tried_[facts.database];
    facts.explanation = candidate.all_applied
                            ? "the standby had applied all that it had received"
                            : "the standby's replay stood between two commits of the archived WAL";
    attempt_.taken.insert_or_assign(facts.database, std::move(candidate.held));
  }

  const Primary& primary_;
  const SnapshotServer& server_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
  SnapshotAttempt attempt_;
  std::vector<Candidate> candidates_;  // of this round
  std::map<std::string, std::uint64_t> tried_;
};

}  // namespace

SnapshotAttempt take_standby_snapshots(const Primary& primary, const SnapshotServer& server,
                                       const SnapshotRequest& request,
                                       const std::stop_token& stop) {
  return StandbySearch(primary, server, request, stop).search();
}

}  // namespace pgrehearse
