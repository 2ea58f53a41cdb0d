// The ledger of drills: one row per drill, written when the drill starts and when it ends, each
// time with an entry in a chain of hashes. Used by one thread; open one for each.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/history/coverage.hpp"
#include "harness/history/ledger_database.hpp"
#include "harness/history/ledger_row.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// What is absent matches everything.
struct LedgerFilter {
  std::optional<std::string> scenario = {};
  std::optional<std::string> stanza = {};
  std::optional<std::string> host = {};
  std::optional<Verdict> verdict = {};  // of finished drills only
  std::optional<DrillState> state = {};
  std::optional<Instant> since = {};  // started at or after
  std::optional<Instant> until = {};  // started before
  std::size_t limit = 0;              // 0: all
};

// An entry of the chain. The hash is the SHA-256 of the previous hash, a line feed, the payload and
// a line feed.
struct LedgerEntry {
  std::uint64_t sequence = 0;
  std::string kind;     // "started", "finished", "killed", "imported", "amended", "pruned"
  std::string drill;    // id; empty for "pruned"
  std::string payload;  // JSON; empty: pruned, the hash remains
  std::string previous;
  std::string hash;
};

std::string hash_of_entry(const std::string& previous, const std::string& payload);

class Ledger {
 public:
  // Creates the tables if the database has none. Throws Error(environment) if they belong to a
  // newer pgrehearse.
  explicit Ledger(std::unique_ptr<LedgerDatabase> database);

  // --- a drill ---
  // Records that the drill starts. False, and nothing is recorded, if a drill of the scenario was
  // recorded before with the same due time and attempt: each due drill runs exactly once.
  [[nodiscard]] bool start(const LedgerRow& row);
  // Replaces the row of a drill that was started. Returns the entry of the chain.
  LedgerEntry finish(const LedgerRow& row);
  // A drill of a run directory that the ledger does not have, or only as running or killed.
  LedgerEntry import(const LedgerRow& row);
  // The files of a finished drill were changed by pgrehearse itself.
  LedgerEntry amend(const LedgerRow& row);

  struct Removal {
    std::string operator_account;
    std::string host;
    Instant at;
  };
  // Removes the rows and the content of their entries; the chain keeps their hashes, and an entry
  // that records the removal.
  void prune(const std::vector<LedgerRow>& rows, const Removal& removal);

  // One drill per stanza at a time, on all hosts that share the ledger. The process of the drill
  // holds the lock; nullptr: another drill of the stanza is running.
  [[nodiscard]] std::unique_ptr<LedgerLock> try_lock_stanza(const std::string& stanza);
  [[nodiscard]] bool is_stanza_locked(const std::string& stanza);
  // Held by the process of a drill that does not wait for the lock of its stanza.
  [[nodiscard]] std::unique_ptr<LedgerLock> try_lock_drill(const std::string& id);
  // Any other lock, such as the one of the scheduler of a state directory.
  [[nodiscard]] std::unique_ptr<LedgerLock> try_lock(const std::string& name);

  // Rows in the state `running` whose process exists: the newest one of each locked stanza, and
  // those whose own lock is held.
  [[nodiscard]] std::vector<LedgerRow> running();
  // Records rows in the state `running` without a process as killed; returns them. Safe while
  // drills run and on several hosts at once.
  std::vector<LedgerRow> record_killed(Instant now);

  // --- queries; lists are newest first ---
  [[nodiscard]] std::vector<LedgerRow> list(const LedgerFilter& filter = {});
  [[nodiscard]] std::optional<LedgerRow> find(const std::string& id);
  [[nodiscard]] std::optional<LedgerRow> newest(LedgerFilter filter);
  [[nodiscard]] std::optional<LedgerRow> newest_pass(LedgerFilter filter);
  // One row per scenario, by name: its newest drill, its newest finished one, its newest pass.
  [[nodiscard]] std::vector<LedgerRow> newest_of_each_scenario();
  [[nodiscard]] std::vector<LedgerRow> newest_finished_of_each_scenario();
  [[nodiscard]] std::vector<LedgerRow> newest_pass_of_each_scenario();
  // The newest due time of which a drill was started, and of its attempts the last one.
  [[nodiscard]] std::optional<LedgerRow> last_due(const std::string& scenario);
  // Of the newest entry of the chain: every change of the ledger adds one. 0: none yet.
  [[nodiscard]] std::uint64_t last_sequence();
  // Of all drills.
  [[nodiscard]] std::set<std::string> ids();
  [[nodiscard]] std::size_t count(const LedgerFilter& filter = {});
  // Finished drills, oldest first.
  [[nodiscard]] std::vector<TrendPoint> trend(const LedgerFilter& filter);
  // Per stanza: which backups and which ranges of time were proved to be recoverable.
  [[nodiscard]] std::vector<StanzaCoverage> coverage(const std::optional<std::string>& stanza = {});

  // What drills did with the backups of a stanza, for `repository.backup: unproved`.
  [[nodiscard]] BackupTrials trials(const std::string& stanza);

  // --- the chain ---
  // Runs `body`, which only reads, on one state of the ledger.
  void read(const std::function<void()>& body) { database_->read(body); }
  // With the sequence of the entry that the row was written with.
  void for_each_row(const std::function<void(const LedgerRow&, std::uint64_t)>& visit);
  // In the order of the chain.
  void for_each_entry(const std::function<void(const LedgerEntry&)>& visit);

  [[nodiscard]] std::string description() const { return database_->description(); }

 private:
  [[nodiscard]] std::vector<LedgerRow> rows_where(const std::string& condition,
                                                  std::span<const Field> parameters);
  [[nodiscard]] std::vector<LedgerRow> newest_by_scenario(const std::string& condition);
  LedgerEntry append(const std::string& kind, const std::string& drill,
                     const std::function<std::string(std::uint64_t sequence)>& payload);
  LedgerEntry append(const std::string& kind, const LedgerRow& row);
  LedgerEntry append_in_transaction(const std::string& kind, const LedgerRow& row);
  void save(const LedgerRow& row, std::uint64_t sequence);

  std::unique_ptr<LedgerDatabase> database_;
};

}  // namespace pgrehearse
