#include <fmt/format.h>

#include "harness/common/text.hpp"
#include "harness/postgres/transaction_snapshot.hpp"
#include "harness/primary/snapshot/snapshot_methods.hpp"

namespace pgrehearse {

namespace {

// A table with an AccessExclusive lock at the position cannot be read in the copy: try again.
constexpr std::uint64_t most_tries = 5;

HeldSnapshot take_one(const Primary& primary, const std::string& database,
                      const SnapshotRequest& request, const std::stop_token& stop) {
  // The temporary slot is dropped when this connection closes.
  auto slot = primary.connect_for_replication(database, stop);
  const auto name = "pgrehearse_" + slot.query("select pg_backend_pid()").text(0, 0);
  const auto created = slot.query(
      fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT", name));
  HeldSnapshot held{.facts = {.database = database,
                              .exact = true,
                              .method = "slot",
                              .lsn = parse_lsn(created.text(0, 1)).value_or(Lsn{}),
                              .exclusive = true,
                              .taken = std::chrono::system_clock::now(),
                              .candidates = 1}};
  auto holder = connect_holder(primary, database, request.budget, stop);
  holder.query("begin isolation level repeatable read read only");
  holder.query(fmt::format("set transaction snapshot {}", quote_setting(created.text(0, 2))));
  const auto rows = holder.query("select pg_export_snapshot(), txid_current_snapshot()");
  held.name = rows.text(0, 0);
  if (const auto snapshot = parse_transaction_snapshot(rows.text(0, 1))) {
    held.facts.in_flight = snapshot->running;
    held.facts.prepared = prepared_among(holder, snapshot->running);
  }
  held.holder.emplace(std::move(holder));
  return held;
}

}  // namespace

SnapshotAttempt take_slot_snapshots(const Primary& primary, const SnapshotRequest& request,
                                    const std::stop_token& stop) {
  SnapshotAttempt attempt;
  for (const auto& database : request.databases) {
    try {
      for (std::uint64_t tries = 1; tries <= most_tries; ++tries) {
        auto held = take_one(primary, database, request, stop);
        held.facts.candidates = tries;
        held.facts.explanation = "exported by a temporary replication slot";
        const bool readable = count_exclusive_locks(*held.holder) == 0;
        attempt.taken.insert_or_assign(database, std::move(held));
        if (readable) break;
      }
    } catch (const SqlError& error) {
      attempt.reasons[database] = fmt::format("no slot: {}", error.what());
    }
  }
  return attempt;
}

}  // namespace pgrehearse
