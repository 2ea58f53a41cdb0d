#include "harness/copies/kept_copies.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/instance_sessions.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

constexpr const char* position_sql = R"(
select pg_is_in_recovery(),
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
       pg_last_xact_replay_timestamp())";

// Not the laboratory of a demo, which is registered and kept in the same way.
bool is_copy(const RegistryEntry& entry) { return entry.kept && entry.type != laboratory_type; }

void read_position(KeptCopy& copy, const std::stop_token& stop) {
  auto parameters = connection_to(copy.entry, copy.record);
  parameters["dbname"] = "postgres";
  try {
    const Connection::Options quick{.connect_timeout = std::chrono::seconds(5),
                                    .query_timeout = std::chrono::seconds(5)};
    const auto rows = Connection::open(std::move(parameters), quick, stop).query(position_sql);
    copy.state = rows.text(0, 0) == "t" ? CopyState::paused : CopyState::open;
    copy.lsn = parse_lsn(rows.text(0, 1));
    copy.newest = parse_instant(rows.text(0, 2));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
  }
}

}  // namespace

std::string_view name_of(CopyState state) {
  switch (state) {
    case CopyState::paused:
      return "paused";
    case CopyState::open:
      return "open";
    case CopyState::not_running:
      return "not running";
    case CopyState::in_use:
      return "in use";
  }
  return "";
}

ConnectionParameters connection_to(const RegistryEntry& entry,
                                   const std::optional<CopyRecord>& record) {
  return {{"host", layout(entry).sockets.string()},
          {"port", "5432"},
          {"user", record ? record->superuser : std::string("postgres")},
          {"channel_binding", "disable"}};
}

std::vector<KeptCopy> kept_copies(const std::filesystem::path& state, const std::stop_token& stop) {
  std::vector<KeptCopy> copies;
  for (const auto& [entry, alive] : Registry(state).list()) {
    if (!is_copy(entry)) continue;
    KeptCopy copy{.entry = entry,
                  .record = load_copy_record(state, entry.run_id),
                  .size = bytes_below(entry.root)};
    if (alive) {
      copy.state = CopyState::in_use;
    } else {
      read_position(copy, stop);
    }
    copies.push_back(std::move(copy));
  }
  return copies;
}

RegistryEntry find_copy(const std::filesystem::path& state, const std::string& text) {
  std::vector<RegistryEntry> matches;
  std::vector<std::string> ids;
  for (const auto& [entry, alive] : Registry(state).list()) {
    if (!is_copy(entry)) continue;
    ids.push_back(entry.run_id);
    if (entry.run_id == text) return entry;
    if (entry.run_id.starts_with(text) || entry.run_id.ends_with(text)) matches.push_back(entry);
  }
  if (matches.size() == 1) return matches.front();
  if (ids.empty()) {
    throw Error(ErrorKind::usage, "no copy is kept", "'pgrehearse recover --keep' keeps one");
  }
  throw Error(ErrorKind::usage,
              matches.empty() ? fmt::format("no copy '{}'", text)
              : text.empty()  ? std::string("several copies are kept: name one")
                              : fmt::format("'{}' names several copies", text),
              fmt::format("copies: {}", join(ids, ", ")));
}

void promote_copy(Sandbox& sandbox, const std::stop_token& stop) {
  sandbox.write_file(closed_archive_marker(sandbox.paths()), "");
  InstanceSessions sessions(sandbox);
  auto connection = sessions.open({}, ErrorKind::recovery, stop);
  if (connection.query("select pg_is_in_recovery()").text(0, 0) != "t") return;
  connection.query("select pg_promote(false)");
  try {
    connection.query("select pg_wal_replay_resume()");
  } catch (const SqlError&) {
    // It had ended recovery already.
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  const bool open = poll_until(deadline, std::chrono::milliseconds(50), stop, [&] {
    return connection.query("select pg_is_in_recovery()").text(0, 0) != "t";
  });
  if (!open) {
    throw Error(ErrorKind::recovery, "the copy did not finish its promotion within 10 minutes",
                "see logs/postgresql.log of the copy", FindingCode::promotion_failed);
  }
  sessions.disable_event_triggers(stop);
}

}  // namespace pgrehearse
