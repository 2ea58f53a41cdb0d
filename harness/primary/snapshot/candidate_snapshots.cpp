#include <fmt/format.h>

#include <algorithm>

#include "harness/primary/snapshot/snapshot_search.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

// pg_stat_archiver shows nothing when another host archives: read the archive anyway.
constexpr std::chrono::milliseconds read_interval{2000};

constexpr const char* take_sql =
    "select txid_current_snapshot(), pg_export_snapshot(), pg_current_wal_insert_lsn()";

class PrimaryStrategy : public SnapshotStrategy {
 public:
  PrimaryStrategy(const Primary& primary, const SnapshotRequest& request,
                  const std::stop_token& stop)
      : primary_(primary), request_(request), stop_(stop) {}

  [[nodiscard]] std::string method() const override { return "candidates"; }
  [[nodiscard]] int rounds() const override { return 4; }

  std::optional<Connection> connect(const std::string& database) override {
    return connect_holder(primary_, database, request_.budget, stop_);
  }

  void begin_round() override {
    if (!control_) control_.emplace(primary_.connect({}, stop_));
    begin_ =
        parse_lsn(control_->query("select pg_current_wal_insert_lsn()").text(0, 0)).value_or(Lsn{});
  }

  void take(Candidate& candidate) override {
    auto& [facts, name, holder] = candidate.held;
    holder->query("begin isolation level repeatable read read only");
    const auto rows = holder->query(take_sql);
    facts.taken = std::chrono::system_clock::now();
    candidate.snapshot =
        parse_transaction_snapshot(rows.text(0, 0)).value_or(TransactionSnapshot{});
    name = rows.text(0, 1);
    candidate.begin = begin_;
    candidate.end = parse_lsn(rows.text(0, 2)).value_or(Lsn{});
    candidate.locks = count_exclusive_locks(*holder);
    facts.in_flight = candidate.snapshot.running;
    facts.prepared = prepared_among(*holder, candidate.snapshot.running);
  }

  std::string end_round(Lsn end) override {
    segment_ =
        control_->query(fmt::format("select pg_walfile_name('{}')", to_text(end))).text(0, 0);
    next_read_ = Clock::now() + read_interval;
    reported_ = false;
    return end_wal_segment(primary_, request_.databases, stop_);
  }

  [[nodiscard]] std::chrono::milliseconds poll_interval() const override {
    return std::chrono::milliseconds(50);
  }

  bool may_be_archived() override {
    const auto archived =
        control_->query("select coalesce(last_archived_wal, '') from pg_stat_archiver");
    const auto& newest = archived.text(0, 0);
    // On one timeline, names sort like positions; names of backup and history files are longer.
    const bool news = newest.substr(0, segment_.size()) >= segment_ && newest != last_archived_;
    constexpr std::size_t timeline_digits = 8;
    reported_ = newest.size() == segment_.size() && newest >= segment_ &&
                newest.starts_with(segment_.substr(0, timeline_digits));
    const auto now = Clock::now();
    if (!news && now < next_read_) return false;
    if (news) last_archived_ = newest;
    next_read_ = now + read_interval;
    return true;
  }

  [[nodiscard]] bool reported_as_archived() const override { return reported_; }

  [[nodiscard]] std::optional<Lsn> position_of(const Candidate& candidate,
                                               const Commits& commits) const override {
    const auto end = std::ranges::partition_point(
        commits, [&](Lsn lsn) { return lsn < candidate.end; }, &TransactionMark::lsn);
    return find_cut(candidate.snapshot, {commits.begin(), end}, candidate.end);
  }

  [[nodiscard]] std::string explanation(const Candidate& candidate) const override {
    return fmt::format("of {} snapshots, this one falls between two commits of the archived WAL",
                       candidate.held.facts.candidates);
  }

 private:
  const Primary& primary_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
  std::optional<Connection> control_;
  Lsn begin_;  // WAL insert position before the round's first snapshot
  std::string segment_;
  std::string last_archived_;
  bool reported_ = false;
  Clock::time_point next_read_;
};

}  // namespace

SnapshotAttempt take_candidate_snapshots(const Primary& primary, const SnapshotServer& server,
                                         const SnapshotRequest& request,
                                         const std::stop_token& stop) {
  PrimaryStrategy strategy(primary, request, stop);
  return search_snapshots(strategy, server.timeline, request, stop);
}

}  // namespace pgrehearse
