#include "harness/primary/snapshot/plain_snapshots.hpp"

#include <fmt/format.h>

#include <memory>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

DatabaseSnapshot take(const Primary& primary, const std::string& database,
                      const std::stop_token& stop) {
  DatabaseSnapshot snapshot{
      .facts = {.database = database,
                .method = "inexact",
                .explanation = "the WAL position was read next to the snapshot"}};
  try {
    const auto holder = std::make_shared<Connection>(primary.connect(database, stop));
    holder->query("set idle_in_transaction_session_timeout = 0");
    holder->query("begin isolation level repeatable read read only");
    const auto facts = holder->query(
        "select pg_export_snapshot(), case when pg_is_in_recovery() then pg_last_wal_replay_lsn() "
        "else pg_current_wal_insert_lsn() end");
    snapshot.facts.lsn = parse_lsn(facts.text(0, 1)).value_or(Lsn{});
    snapshot.join = [&primary, database, holder, name = facts.text(0, 0)](std::stop_token joining) {
      auto connection = primary.connect(database, std::move(joining));
      connection.query("begin isolation level repeatable read read only");
      connection.query(fmt::format("set transaction snapshot {}", quote_setting(name)));
      return connection;
    };
  } catch (const SqlError& error) {
    snapshot.facts.error = error.what();
  }
  return snapshot;
}

}  // namespace

FingerprintCapture::TakeSnapshots plain_snapshots(const Primary& primary) {
  return [&primary](const std::vector<std::string>& databases, std::stop_token stop) {
    std::vector<DatabaseSnapshot> snapshots;
    for (const auto& database : databases) {
      snapshots.push_back(take(primary, database, stop));
      snapshots.back().facts.with_cluster = snapshots.size() == 1;
    }
    return snapshots;
  };
}

}  // namespace pgrehearse
