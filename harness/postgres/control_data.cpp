#include "harness/postgres/control_data.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// pg_controldata's "name: value" lines.
class ControlLines {
 public:
  explicit ControlLines(std::string_view output) {
    for (const auto line : lines_of(output)) {
      // Long names fill the column: no space after the colon.
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      values_.emplace(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
  }

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return {};
    return found->second;
  }

  [[nodiscard]] std::string_view text(std::string_view name) const {
    if (const auto value = find(name)) return *value;
    throw Error(ErrorKind::repository,
                fmt::format("the output of pg_controldata has no line '{}'", name),
                "global/pg_control is damaged, or pg_controldata is from a different major version",
                FindingCode::control_data, std::string(name));
  }

  template <typename Number>
  [[nodiscard]] Number number(std::string_view name) const {
    const auto value = text(name);
    Number parsed = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (failure != std::errc{} || end != value.data() + value.size()) unreadable(name, value);
    return parsed;
  }

  [[nodiscard]] Lsn lsn(std::string_view name) const {
    const auto value = text(name);
    if (const auto parsed = parse_lsn(value)) return *parsed;
    unreadable(name, value);
  }

 private:
  [[noreturn]] static void unreadable(std::string_view name, std::string_view value) {
    throw Error(ErrorKind::repository,
                fmt::format("invalid value '{1}' in line '{0}' of pg_controldata", name, value),
                "global/pg_control is damaged", FindingCode::control_data, std::string(name));
  }

  std::map<std::string_view, std::string_view> values_;
};

}  // namespace

ControlData parse_control_data(std::string_view output) {
  const ControlLines lines(output);
  return {
      .system_identifier = lines.number<std::uint64_t>("Database system identifier"),
      .state = std::string(lines.text("Database cluster state")),
      .checkpoint_lsn = lines.lsn("Latest checkpoint location"),
      .checkpoint_timeline = lines.number<Timeline>("Latest checkpoint's TimeLineID"),
      .minimum_recovery_ending_lsn = lines.lsn("Minimum recovery ending location"),
      .backup_start_lsn = lines.lsn("Backup start location"),
      .wal_segment_size = lines.number<std::uint64_t>("Bytes per WAL segment"),
      .data_checksums = lines.number<int>("Data page checksum version") != 0,
      .max_connections = lines.number<int>("max_connections setting"),
      .max_worker_processes = lines.number<int>("max_worker_processes setting"),
      // Since PostgreSQL 12.
      .max_wal_senders =
          lines.find("max_wal_senders setting") ? lines.number<int>("max_wal_senders setting") : 0,
      .max_prepared_transactions = lines.number<int>("max_prepared_xacts setting"),
      .max_locks_per_transaction = lines.number<int>("max_locks_per_xact setting"),
  };
}

}  // namespace pgrehearse
