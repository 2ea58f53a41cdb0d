#include "harness/primary/primary_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace pgrehearse {

namespace {

// A standby receives a message at least every 30 s (half of the default wal_receiver_timeout).
constexpr const char* state_sql = R"(
select clock_timestamp(), pg_is_in_recovery(), txid_current_snapshot(),
       current_setting('track_commit_timestamp'),
       coalesce((select status = 'streaming' and latest_end_lsn <= pg_last_wal_replay_lsn()
                        and last_msg_receipt_time > clock_timestamp() - interval '1 minute'
                 from pg_stat_wal_receiver), false))";

// One row per transaction of the range [$1, $2) that has committed.
constexpr const char* committed_sql =
    "select xid from generate_series($1::bigint, $2::bigint - 1) xid "
    "where txid_status(xid) = 'committed'";

constexpr std::uint64_t most_transactions = 1'000'000;

std::set<std::uint64_t> committed(Connection& connection, std::uint64_t first, std::uint64_t end) {
  std::set<std::uint64_t> found;
  if (first >= end) return found;
  const std::vector<Field> range{std::to_string(first), std::to_string(end)};
  const auto rows = connection.query(committed_sql, range);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto& text = rows.text(row, 0);
    std::uint64_t xid = 0;
    std::from_chars(text.data(), text.data() + text.size(), xid);
    found.insert(xid);
  }
  return found;
}

std::optional<Instant> newest_commit(Connection& connection) try {
  const auto rows = connection.query("select timestamp from pg_last_committed_xact()");
  if (rows.rows.empty() || !rows.rows[0][0]) return {};
  return parse_instant(*rows.rows[0][0]);
} catch (const SqlError& error) {
  // A standby whose primary does not track commit times.
  if (is_server_gone(error)) throw;
  return {};
}

}  // namespace

PrimaryState read_primary_state(const Primary& primary, std::stop_token stop) {
  auto connection = primary.connect({}, std::move(stop));
  const auto before = std::chrono::system_clock::now();
  const auto rows = connection.query(state_sql);
  const auto after = std::chrono::system_clock::now();
  PrimaryState state{
      .read_at = before + (after - before) / 2,
      .in_recovery = rows.text(0, 1) == "t",
      .caught_up = rows.text(0, 4) == "t",
      .snapshot = parse_transaction_snapshot(rows.text(0, 2)).value_or(TransactionSnapshot{})};
  if (const auto clock = parse_instant(rows.text(0, 0))) {
    state.clock_ahead = *clock - state.read_at;
  }
  if (rows.text(0, 3) == "on") state.newest_commit = newest_commit(connection);
  return state;
}

std::optional<bool> has_all_commits(Connection& copy, Connection& server,
                                    const PrimaryState& state) {
  constexpr int with_txid_status = 100000;
  if (server.server_version() < with_txid_status) return {};
  const auto here =
      parse_transaction_snapshot(copy.query("select txid_current_snapshot()").text(0, 0));
  if (!here || state.snapshot.xmax == 0) return {};
  // A transaction below xmin has ended in the copy as it ended on the server.
  const auto first = here->xmin;
  const auto end = state.snapshot.xmax;
  if (first >= end) return true;
  if (end - first > most_transactions) return {};
  // Those that committed on the server later are included: the answer can only be too strict.
  auto there = committed(server, first, end);
  for (const auto xid : state.snapshot.running) there.erase(xid);
  for (const auto xid : committed(copy, first, std::min(end, here->xmax))) there.erase(xid);
  return there.empty();
}

}  // namespace pgrehearse
