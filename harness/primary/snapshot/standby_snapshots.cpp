#include <chrono>

#include "harness/primary/snapshot/snapshot_search.hpp"

namespace pgrehearse {

namespace {

// Sent as one batch, to run microseconds apart. The snapshot is taken before the last statement
// runs, so that statement reads positions after the snapshot. The running transactions that a
// standby reports are incomplete, so only positions can be evaluated.
std::vector<std::string> take_statements() {
  return {"select pg_last_wal_replay_lsn()", "begin isolation level repeatable read read only",
          "select pg_export_snapshot(), pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn(), "
          "(select count(*) from pg_stat_wal_receiver)"};
}

class StandbyStrategy : public SnapshotStrategy {
 public:
  StandbyStrategy(const Primary& primary, const SnapshotRequest& request,
                  const std::stop_token& stop)
      : primary_(primary), request_(request), stop_(stop) {}

  [[nodiscard]] std::string method() const override { return "standby"; }
  [[nodiscard]] int rounds() const override { return 3; }

  std::optional<Connection> connect(const std::string& database) override {
    return connect_holder(primary_, database, request_.budget, stop_);
  }

  void begin_round() override {}

  void take(Candidate& candidate) override {
    auto& holder = *candidate.held.holder;
    const auto results = holder.pipeline(take_statements());
    for (const auto& result : results) {
      if (!result.error.empty()) {
        throw SqlError(ErrorKind::environment, result.error, result.sqlstate);
      }
    }
    const auto& last = results[2].rows;
    candidate.held.facts.taken = std::chrono::system_clock::now();
    candidate.held.name = last.text(0, 0);
    candidate.begin = parse_lsn(results[0].rows.text(0, 0)).value_or(Lsn{});
    const auto after = parse_lsn(last.text(0, 1)).value_or(Lsn{});
    // A record that begins at `after` may be half applied.
    candidate.end = Lsn{after.value + 1};
    // All that was received is applied, so no record can be half applied.
    candidate.known_exact = candidate.begin == after && last.text(0, 3) == "1" &&
                            parse_lsn(last.text(0, 2)) == candidate.begin;
    candidate.locks = count_exclusive_locks(holder);
  }

  std::string end_round(Lsn /*end*/) override { return {}; }

  [[nodiscard]] std::chrono::milliseconds poll_interval() const override {
    return std::chrono::milliseconds(500);
  }
  bool may_be_archived() override { return true; }

  [[nodiscard]] std::optional<Lsn> position_of(const Candidate& candidate,
                                               const Commits& commits) const override {
    return find_replay_cut(candidate.begin, Lsn{candidate.end.value - 1}, commits);
  }

  [[nodiscard]] std::string explanation(const Candidate& candidate) const override {
    return candidate.known_exact
               ? "the standby had applied all WAL that it had received"
               : "the standby's replay position falls between two commits of the archived WAL";
  }

 private:
  const Primary& primary_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
};

}  // namespace

SnapshotAttempt take_standby_snapshots(const Primary& primary, const SnapshotServer& server,
                                       const SnapshotRequest& request,
                                       const std::stop_token& stop) {
  StandbyStrategy strategy(primary, request, stop);
  return search_snapshots(strategy, server.timeline, request, stop);
}

}  // namespace pgrehearse
