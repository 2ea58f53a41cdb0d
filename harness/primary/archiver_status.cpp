#include "harness/primary/archiver_status.hpp"

#include <charconv>

namespace pgrehearse {

ArchiverStatus read_archiver(const Primary& primary, std::stop_token stop) {
  auto connection = primary.connect({}, std::move(stop));
  // One row: WAL position, timeline, pg_stat_archiver.
  const auto rows = connection.query(
      "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() "
      "else pg_current_wal_lsn() end, "
      "(select timeline_id from pg_control_checkpoint()), last_archived_wal, last_archived_time, "
      "last_failed_wal, last_failed_time from pg_catalog.pg_stat_archiver");
  ArchiverStatus status{.lsn = parse_lsn(rows.text(0, 0)).value_or(Lsn{}),
                        .last_archived = rows.text(0, 2),
                        .last_archived_at = parse_instant(rows.text(0, 3)),
                        .last_failed = rows.text(0, 4),
                        .last_failed_at = parse_instant(rows.text(0, 5))};
  const auto& timeline = rows.text(0, 1);
  std::from_chars(timeline.data(), timeline.data() + timeline.size(), status.timeline);
  return status;
}

}  // namespace pgrehearse
