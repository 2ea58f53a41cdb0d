#include "harness/repository/pgbackrest/pgbackrest_restore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

template <typename Value>
const Value& stated(const std::optional<Value>& value, std::string_view what) {
  if (!value) throw Error(ErrorKind::internal, fmt::format("recovery target without {}", what));
  return *value;
}

std::string type_option(TargetType type) {
  switch (type) {
    // Never ends by itself: the drill proves that the end of the archive was reached, then
    // promotes.
    case TargetType::latest:
      return "--type=standby";
    case TargetType::immediate:
      return "--type=immediate";
    case TargetType::time:
      return "--type=time";
    case TargetType::lsn:
      return "--type=lsn";
    case TargetType::xid:
      return "--type=xid";
    case TargetType::name:
      return "--type=name";
  }
  throw Error(ErrorKind::internal, "unknown target type");
}

// pgBackRest (2.45 to 2.59) writes the value between quotes without escaping: a name with an
// apostrophe would make an invalid postgresql.auto.conf. So the name is passed already escaped.
std::string escaped(const std::string& name) {
  const auto quoted = quote_setting(name);
  return quoted.substr(1, quoted.size() - 2);
}

std::optional<std::string> target_value(const RecoveryTarget& target) {
  switch (target.type) {
    case TargetType::latest:
    case TargetType::immediate:
      return {};
    case TargetType::time:
      return to_postgres_timestamp(stated(target.time, "time"));
    case TargetType::lsn:
      return to_text(stated(target.lsn, "LSN"));
    case TargetType::xid:
      return fmt::format("{}", stated(target.xid, "xid"));
    case TargetType::name:
      return escaped(target.name);
  }
  throw Error(ErrorKind::internal, "unknown target type");
}

// pgBackRest rejects --target-exclusive for other types ([031]).
bool may_be_exclusive(TargetType type) {
  return type == TargetType::time || type == TargetType::lsn || type == TargetType::xid;
}

bool has_timeline(const Backup& backup, const RecoveryTarget& target) {
  if (target.type == TargetType::immediate) return false;
  // Before PostgreSQL 12 "current" is the default and not a valid value.
  return backup.postgres_major >= 12 || target.timeline != "current";
}

}  // namespace

std::vector<std::string> restore_options(const Backup& backup, const RecoveryTarget& target,
                                         const SandboxPaths& paths, int processes,
                                         const std::vector<std::string>& databases) {
  std::vector<std::string> options{
      "--set=" + backup.label,
      "--pg1-path=" + paths.data.string(),
      // On a repository host pg1 is another host, and restore fails ([072]). Only pg1-host needs a
      // reset: pg2 and up, pg1-host-user etc. do not (measured with 2.45).
      "--reset-pg1-host",
      "--tablespace-map-all=" + paths.tablespaces.string(),
      // A configured map or link points to production's directories; `delta` would overwrite them.
      "--reset-tablespace-map",
      "--no-link-all",
      "--reset-link-map",
      "--no-delta",
      // Only a restore on request is partial; production's recovery options must not apply.
      "--reset-db-exclude",
      "--reset-recovery-option",
      fmt::format("--process-max={}", std::max(processes, 1)),
      type_option(target.type),
  };
  if (databases.empty()) options.emplace_back("--reset-db-include");
  for (const auto& database : databases) options.push_back("--db-include=" + database);
  // PostgreSQL 12 and later only ([031] otherwise).
  if (backup.postgres_major >= 12) options.emplace_back("--archive-mode=off");
  if (const auto value = target_value(target)) options.push_back("--target=" + *value);
  if (target.type != TargetType::latest) options.emplace_back("--target-action=pause");
  if (target.exclusive && may_be_exclusive(target.type)) options.emplace_back("--target-exclusive");
  if (has_timeline(backup, target)) options.push_back("--target-timeline=" + target.timeline);
  return options;
}

std::optional<double> parse_restore_progress(std::string_view line) {
  const auto file = line.find("restore file ");
  const auto zeroed = line.find("restore zeroed file ");
  if (file == std::string_view::npos && zeroed == std::string_view::npos) return {};
  const auto end = line.rfind("%)");
  const auto begin = line.rfind(", ", end);
  if (end == std::string_view::npos || begin == std::string_view::npos) return {};
  const auto number = line.substr(begin + 2, end - begin - 2);
  double percent = 0;
  const auto [stop, failure] =
      std::from_chars(number.data(), number.data() + number.size(), percent);
  if (failure != std::errc{} || stop != number.data() + number.size()) return {};
  return std::clamp(percent / 100, 0.0, 1.0);
}

}  // namespace pgrehearse
