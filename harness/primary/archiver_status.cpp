#include "harness/primary/archiver_status.hpp"

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// One row: WAL position, timeline, role, pg_stat_archiver.
constexpr const char* status_sql = R"(
select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
       (select timeline_id from pg_control_checkpoint()), last_archived_wal, last_archived_time,
       last_failed_wal, last_failed_time, archived_count, failed_count, pg_is_in_recovery(),
       current_setting('archive_mode'), clock_timestamp()
from pg_stat_archiver)";

// One row: the complete segments that are not archived, and how long the first one has waited.
constexpr const char* waiting_sql = R"(
select count(*), min(substr(name, 1, 24)),
       extract(epoch from clock_timestamp() - min(modification))
from pg_ls_archive_statusdir() where name ~ '^[0-9A-F]{24}\.ready$')";

std::optional<WaitingSegments> read_waiting(Connection& connection) try {
  const auto rows = connection.query(waiting_sql);
  WaitingSegments waiting{.count = number_of<std::uint64_t>(rows.text(0, 0)),
                          .oldest = rows.text(0, 1)};
  if (waiting.count > 0) waiting.oldest_age = Seconds(number_of<double>(rows.text(0, 2)));
  return waiting;
} catch (const SqlError& error) {
  if (is_server_gone(error)) throw;
  return {};
}

}  // namespace

ArchiverStatus read_archiver(const Primary& primary, std::stop_token stop) {
  auto connection = primary.connect({}, std::move(stop));
  const auto rows = connection.query(status_sql);
  ArchiverStatus status{.lsn = parse_lsn(rows.text(0, 0)).value_or(Lsn{}),
                        .timeline = number_of<Timeline>(rows.text(0, 1)),
                        .in_recovery = rows.text(0, 8) == "t",
                        .archive_mode = rows.text(0, 9),
                        .now = parse_instant(rows.text(0, 10)).value_or(Instant{}),
                        .last_archived = rows.text(0, 2),
                        .last_archived_at = parse_instant(rows.text(0, 3)),
                        .archived_count = number_of<std::uint64_t>(rows.text(0, 6)),
                        .last_failed = rows.text(0, 4),
                        .last_failed_at = parse_instant(rows.text(0, 5)),
                        .failed_count = number_of<std::uint64_t>(rows.text(0, 7))};
  status.waiting = read_waiting(connection);
  return status;
}

}  // namespace pgrehearse
