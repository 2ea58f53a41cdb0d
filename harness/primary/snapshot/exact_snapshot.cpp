#include "harness/primary/snapshot/exact_snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/common/text.hpp"
#include "harness/primary/snapshot/snapshot_methods.hpp"

namespace pgrehearse {

namespace {

// On a primary, the timeline is taken from the current WAL file's name: the control file has that
// of the last checkpoint, which may be older.
constexpr const char* server_sql = R"(
select current_setting('wal_level'), pg_is_in_recovery(),
       coalesce((select rolreplication or rolsuper from pg_roles where rolname = current_user), false),
       (select system_identifier from pg_control_system()),
       case when pg_is_in_recovery()
         then greatest((select timeline_id from pg_control_checkpoint()),
                       (select min_recovery_end_timeline from pg_control_recovery()),
                       (select max(received_tli) from pg_stat_wal_receiver))
            else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
       end)";

SnapshotServer read_server(const Primary& primary, const std::stop_token& stop) {
  auto connection = primary.connect({}, stop);
  const auto rows = connection.query(server_sql);
  std::int64_t identifier = 0;  // SQL has no unsigned type: may be negative
  const auto& text = rows.text(0, 3);
  std::from_chars(text.data(), text.data() + text.size(), identifier);
  Timeline timeline = 0;
  const auto& number = rows.text(0, 4);
  std::from_chars(number.data(), number.data() + number.size(), timeline);
  return {.wal_level = rows.text(0, 0),
          .in_recovery = rows.text(0, 1) == "t",
          .may_replicate = rows.text(0, 2) == "t",
          .timeline = timeline,
          .system_identifier = static_cast<std::uint64_t>(identifier)};
}

// Not exact: a transaction committed before the position may still be running for the snapshot.
HeldSnapshot take_inexact(const Primary& primary, const std::string& database,
                          const SnapshotRequest& request, const std::stop_token& stop) {
  HeldSnapshot held{.facts = {.database = database, .exclusive = false}};
  try {
    auto holder = connect_holder(primary, database, request.budget, stop);
    holder.query("begin isolation level repeatable read read only");
    const auto rows = holder.query(
        "select pg_export_snapshot(), case when pg_is_in_recovery() then pg_last_wal_replay_lsn() "
        "else pg_current_wal_insert_lsn() end");
    held.name = rows.text(0, 0);
    held.facts.lsn = parse_lsn(rows.text(0, 1)).value_or(Lsn{});
    held.facts.taken = std::chrono::system_clock::now();
    held.holder.emplace(std::move(holder));
  } catch (const SqlError& error) {
    held.facts.error = error.what();
  }
  return held;
}

// Tries the methods in turn, each for the databases that still have no exact snapshot.
class MethodChoice {
 public:
  MethodChoice(const Primary& primary, const SnapshotRequest& request, const std::stop_token& stop)
      : primary_(primary), request_(request), stop_(stop), server_(read_server(primary, stop)) {}

  std::vector<HeldSnapshot> take() {
    bool ended_segment = false;
    if (server_.in_recovery) {
      attempt([&](const auto& missing) {
        return take_standby_snapshots(primary_, server_, missing, stop_);
      });
    } else {
      if (slots_possible()) {
        attempt([&](const auto& missing) { return take_slot_snapshots(primary_, missing, stop_); });
      }
      if (candidates_possible()) {
        ended_segment = missing().databases.size() > 0;
        attempt([&](const auto& missing) {
          return take_candidate_snapshots(primary_, server_, missing, stop_);
        });
      }
      if (!ended_segment) remark_ = end_wal_segment(primary_, request_.databases, stop_);
    }
    return collect();
  }

 private:
  bool slots_possible() {
    if (server_.wal_level != "logical") {
      explain("a slot needs wal_level = logical");
    } else if (!server_.may_replicate) {
      explain("a slot needs a role with REPLICATION");
    } else {
      return true;
    }
    return false;
  }

  bool candidates_possible() {
    if (request_.read_commits) return true;
    explain("candidate snapshots need the WAL archive");
    return false;
  }

  void explain(const std::string& reason) {
    for (const auto& database : missing().databases) add_reason(database, reason);
  }

  void add_reason(const std::string& database, const std::string& reason) {
    auto& text = reasons_[database];
    text += (text.empty() ? "" : "; ") + reason;
  }

  [[nodiscard]] SnapshotRequest missing() const {
    auto rest = request_;
    std::erase_if(rest.databases, [&](const auto& name) { return taken_.contains(name); });
    return rest;
  }

  template <typename Method>
  void attempt(const Method& method) {
    const auto rest = missing();
    if (rest.databases.empty()) return;
    auto result = method(rest);
    taken_.merge(result.taken);
    for (const auto& [database, reason] : result.reasons) add_reason(database, reason);
  }

  std::vector<HeldSnapshot> collect() {
    std::vector<HeldSnapshot> all;
    for (const auto& database : request_.databases) {
      const auto found = taken_.find(database);
      const bool exact = found != taken_.end();
      auto held =
          exact ? std::move(found->second) : take_inexact(primary_, database, request_, stop_);
      auto& facts = held.facts;
      facts.timeline = server_.timeline;
      facts.system_identifier = server_.system_identifier;
      if (!exact) facts.explanation = reasons_[database];
      if (exact && !remark_.empty()) facts.explanation += "; " + remark_;
      all.push_back(std::move(held));
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.facts.lsn < b.facts.lsn; });
    return all;
  }

  const Primary& primary_;
  const SnapshotRequest& request_;
  const std::stop_token& stop_;
  SnapshotServer server_;
  std::map<std::string, HeldSnapshot> taken_;
  std::map<std::string, std::string> reasons_;
  std::string remark_;
};

}  // namespace

std::vector<SnapshotFacts> HeldSnapshots::facts() const {
  std::vector<SnapshotFacts> facts;
  for (const auto& held : held_) facts.push_back(held.facts);
  return facts;
}

DatabaseFingerprint fingerprint_of(const SnapshotFacts& facts) {
  auto explanation = facts.explanation;
  if (!facts.prepared.empty()) {
    explanation +=
        fmt::format("; prepared but not committed there: {}", join(facts.prepared, ", "));
  }
  return {.database = facts.database,
          .exact = facts.exact,
          .method = facts.method,
          .explanation = explanation,
          .lsn = facts.lsn,
          .exclusive = facts.exclusive,
          .candidates = facts.candidates,
          .in_flight = facts.in_flight,
          .error = facts.error};
}

std::vector<DatabaseSnapshot> HeldSnapshots::for_capture() const {
  std::vector<DatabaseSnapshot> snapshots;
  bool first = true;
  for (const auto& held : held_) {
    auto facts = fingerprint_of(held.facts);
    facts.with_cluster = first && facts.error.empty();
    if (facts.with_cluster) first = false;
    snapshots.push_back(
        {.facts = facts, .join = [this, name = held.facts.database](std::stop_token stop) {
           return join(name, std::move(stop));
         }});
  }
  return snapshots;
}

Connection HeldSnapshots::join(const std::string& database, std::stop_token stop) const {
  const auto held = std::find_if(held_.begin(), held_.end(), [&](const auto& one) {
    return one.facts.database == database && one.holder;
  });
  if (held == held_.end()) {
    throw SqlError(ErrorKind::environment,
                   fmt::format("no snapshot of database {} is held", database), "");
  }
  auto connection = server_->connect(database, std::move(stop));
  connection.query("begin isolation level repeatable read read only");
  connection.query(fmt::format("set transaction snapshot {}", quote_setting(held->name)));
  return connection;
}

HeldSnapshots take_snapshots(const Primary& primary, const SnapshotRequest& request,
                             const std::stop_token& stop) {
  auto server = std::make_unique<Primary>(primary.pinned(stop));
  auto held = MethodChoice(*server, request, stop).take();
  return {std::move(server), std::move(held)};
}

}  // namespace pgrehearse
