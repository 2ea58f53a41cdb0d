#include <fmt/format.h>

#include <algorithm>

#include "harness/common/poll_until.hpp"
#include "harness/postgres/transaction_snapshot.hpp"
#include "harness/primary/snapshot/snapshot_methods.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_rounds = 4;

constexpr std::chrono::milliseconds archive_patience{std::chrono::minutes(2)};
constexpr std::chrono::milliseconds look_interval{50};
// Who archives from somewhere else never shows in pg_stat_archiver: then just try.
constexpr std::chrono::milliseconds try_interval{2000};

constexpr const char* take_sql =
    "select txid_current_snapshot(), pg_export_snapshot(), pg_current_wal_insert_lsn()";

struct Candidate {
  HeldSnapshot held;
  TransactionSnapshot snapshot;
  Lsn end;  // the WAL had reached it when the snapshot had been taken
  std::uint64_t locks = 0;
};

class CandidateSearch {
 public:
  CandidateSearch(const Primary& primary, const SnapshotServer& server,
                  const SnapshotRequest& request, const std::stop_token& stop)
      : primary_(primary), server_(server), request_(request), stop_(stop) {}

  SnapshotAttempt search() {
    for (int round = 0; round < most_rounds && !pending().empty(); ++round) {
      try {
        if (!search_once()) break;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) throw;
        refuse(fmt::format("candidates could not be judged: {}", error.what()));
        break;
      }
    }
    for (const auto& database : pending()) {
      auto& reason = attempt_.reasons[database];
      if (reason.empty()) {
        reason = fmt::format("none of {} candidates lay between two commits", tried_[database]);
      }
    }
    return std::move(attempt_);
  }

 private:
  [[nodiscard]] std::vector<std::string> pending() const {
    return without_answer(request_.databases, attempt_);
  }

  void refuse(const std::string& reason) {
    for (const auto& database : pending()) attempt_.reasons[database] = reason;
  }

  // False: the archive does not come, another round would not help.
  bool search_once() {
    auto control = primary_.connect({}, stop_);
    auto candidates = connect_candidates();
    const auto begin =
        parse_lsn(control.query("select pg_current_wal_insert_lsn()").text(0, 0)).value_or(Lsn{});
    take(candidates);
    if (candidates.empty()) return false;
    const auto remark = end_wal_segment(primary_, request_.databases, stop_);
    const auto end = std::max_element(candidates.begin(), candidates.end(), [](auto& a, auto& b) {
                       return a.end < b.end;
                     })->end;
    const auto commits = wait_for_commits(control, begin, end);
    if (!commits) {
      refuse(fmt::format(
          "candidates could not be judged: the WAL up to {} did not come to the "
          "archive within {}{}{}",
          to_text(end), to_text(Seconds(patience())), remark.empty() ? "" : "; ", remark));
      return false;
    }
    choose(candidates, *commits);
    return true;
  }

  // Connected before the first snapshot is taken: they shall be milliseconds apart.
  std::vector<Candidate> connect_candidates() {
    const auto databases = pending();
    const auto each = candidates_each(databases.size());
    std::vector<Candidate> candidates;
    for (std::size_t round = 0; round < each; ++round) {
      for (const auto& database : databases) {
        if (attempt_.reasons.contains(database)) continue;
        try {
          candidates.push_back({.held = {.facts = {.database = database}}});
          candidates.back().held.holder.emplace(
              connect_holder(primary_, database, request_.budget, stop_));
        } catch (const SqlError& error) {
          candidates.pop_back();
          // A server that has no connection to spare gets fewer candidates.
          if (round == 0) attempt_.reasons[database] = error.what();
        }
      }
    }
    return candidates;
  }

  void take(std::vector<Candidate>& candidates) {
    for (auto& candidate : candidates) {
      auto& [facts, name, holder] = candidate.held;
      holder->query("begin isolation level repeatable read read only");
      const auto rows = holder->query(take_sql);
      facts.taken = std::chrono::system_clock::now();
      candidate.snapshot =
          parse_transaction_snapshot(rows.text(0, 0)).value_or(TransactionSnapshot{});
      name = rows.text(0, 1);
      candidate.end = parse_lsn(rows.text(0, 2)).value_or(Lsn{});
      candidate.locks = count_exclusive_locks(*holder);
      facts.in_flight = candidate.snapshot.running;
      facts.prepared = prepared_among(*holder, candidate.snapshot.running);
      ++tried_[facts.database];
    }
  }

  [[nodiscard]] std::chrono::milliseconds patience() const {
    return std::min(archive_patience, request_.budget.time.value_or(archive_patience));
  }

  std::optional<std::vector<TransactionMark>> wait_for_commits(Connection& control, Lsn begin,
                                                               Lsn end) {
    const auto deadline = Clock::now() + patience();
    const auto segment =
        control.query(fmt::format("select pg_walfile_name('{}')", to_text(end))).text(0, 0);
    while (Clock::now() < deadline) {
      wait_for_archiver(control, segment);
      if (auto commits = request_.read_commits(server_.timeline, begin, end, stop_)) return commits;
    }
    return {};
  }

  void wait_for_archiver(Connection& control, const std::string& segment) {
    const auto deadline = Clock::now() + try_interval;
    while (Clock::now() < deadline) {
      const auto rows =
          control.query("select coalesce(last_archived_wal, '') from pg_stat_archiver");
      // Names of one timeline sort like positions; those of backups and histories are longer.
      if (rows.text(0, 0).substr(0, segment.size()) >= segment) {
        if (rows.text(0, 0) != last_archived_) {
          last_archived_ = rows.text(0, 0);
          return;
        }
      }
      if (!wait_for(look_interval, stop_)) throw Error(ErrorKind::interrupted, "interrupted");
    }
  }

  void choose(std::vector<Candidate>& candidates, const std::vector<TransactionMark>& commits) {
    std::map<std::string, Candidate*> best;
    for (auto& candidate : candidates) {
      const auto before = std::partition_point(
          commits.begin(), commits.end(),
          [&](const TransactionMark& commit) { return commit.lsn < candidate.end; });
      const auto cut = find_cut(candidate.snapshot, {commits.begin(), before}, candidate.end);
      if (!cut) continue;
      candidate.held.facts.lsn = *cut;
      auto& chosen = best[candidate.held.facts.database];
      if (chosen == nullptr || candidate.locks <= chosen->locks) chosen = &candidate;
    }
    for (auto& [database, candidate] : best) accept(*candidate);
  }

  void accept(Candidate& candidate) {
    auto& facts = candidate.held.facts;
    facts.exact = true;
    facts.method = "candidates";
    facts.exclusive = true;
    facts.candidates = tried_[facts.database];
    facts.explanation =
        fmt::format("of {} candidates, this one falls between two commits of the archived WAL",
                    facts.candidates);
    attempt_.taken.insert_or_assign(facts.database, std::move(candidate.held));
  }

  const Primary& primary_;
  const SnapshotServer& server_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
  SnapshotAttempt attempt_;
  std::map<std::string, std::uint64_t> tried_;
  std::string last_archived_;
};

}  // namespace

SnapshotAttempt take_candidate_snapshots(const Primary& primary, const SnapshotServer& server,
                                         const SnapshotRequest& request,
                                         const std::stop_token& stop) {
  return CandidateSearch(primary, server, request, stop).search();
}

}  // namespace pgrehearse
