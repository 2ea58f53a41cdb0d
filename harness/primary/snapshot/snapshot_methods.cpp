#include "harness/primary/snapshot/snapshot_methods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pgrehearse {

std::vector<std::string> without_answer(std::vector<std::string> databases,
                                        const SnapshotAttempt& attempt) {
  std::erase_if(databases, [&](const auto& database) {
    return attempt.taken.contains(database) || attempt.reasons.contains(database);
  });
  return databases;
}

// With 32 clients on two cores about half of all snapshots fall between two commits.
std::size_t candidates_per_database(std::size_t databases) {
  constexpr std::size_t most_connections = 24;
  constexpr std::size_t most = 8;
  constexpr std::size_t fewest = 3;
  return std::clamp(most_connections / std::max(databases, std::size_t{1}), fewest, most);
}

Connection connect_holder(const Primary& primary, const std::string& database,
                          const FingerprintBudget& budget, const std::stop_token& stop) {
  auto holder = primary.connect(database, stop);
  const auto age = budget.max_snapshot_age.value_or(std::chrono::milliseconds(0));
  holder.query(fmt::format("set idle_in_transaction_session_timeout = {}", age.count()));
  if (budget.statement_timeout) {
    holder.query(fmt::format("set statement_timeout = {}", budget.statement_timeout->count()));
  }
  return holder;
}

std::uint64_t count_exclusive_locks(Connection& connection) {
  const auto rows = connection.query(
      "select count(*) from pg_locks where locktype = 'relation' and granted "
      "and mode = 'AccessExclusiveLock' and database in "
      "(0, (select oid from pg_database where datname = current_database()))");
  return std::stoull(rows.text(0, 0));
}

std::vector<std::string> prepared_among(Connection& connection,
                                        const std::vector<std::uint64_t>& running) {
  const auto rows = connection.query("select transaction, gid from pg_prepared_xacts order by 2");
  std::vector<std::string> names;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto& text = rows.text(row, 0);
    std::uint32_t xid = 0;
    std::from_chars(text.data(), text.data() + text.size(), xid);
    const bool ran = std::any_of(running.begin(), running.end(), [&](std::uint64_t full) {
      return static_cast<std::uint32_t>(full) == xid;
    });
    if (ran) names.push_back(rows.text(row, 1));
  }
  return names;
}

std::string end_wal_segment(const Primary& primary, const std::vector<std::string>& databases,
                            const std::stop_token& stop) {
  // Execute permission is granted per database, often not in the first one.
  std::vector<std::string> connect_to{""};
  connect_to.insert(connect_to.end(), databases.begin(), databases.end());
  std::string refusal = "cannot switch to a new WAL segment";
  for (const auto& database : connect_to) {
    try {
      auto connection = primary.connect(database, stop);
      // pg_switch_wal() does nothing unless a record was written since the last switch.
      connection.query("select pg_create_restore_point('pgrehearse')");
      connection.query("select pg_switch_wal()");
      return {};
    } catch (const SqlError& error) {
      refusal = fmt::format("cannot switch to a new WAL segment: {}", error.what());
    }
  }
  return refusal;
}

}  // namespace pgrehearse
