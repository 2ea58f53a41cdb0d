#include "harness/serve/metrics/metric_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

constexpr std::string_view drill = "scenario, stanza";
constexpr std::string_view repository = "stanza, repository";

constexpr auto table = std::to_array<MetricDescription>({
    {"pgrehearse_drill_verdict", "1 for the verdict of the newest finished drill, 0 for the others",
     "scenario, stanza, verdict"},
    {"pgrehearse_drill_info", "The newest finished drill in words; the value is 1",
     "scenario, stanza, run, host, code, likely_cause, diagnosis"},
    {"pgrehearse_drill_start_timestamp_seconds", "Start of the newest finished drill", drill},
    {"pgrehearse_drill_end_timestamp_seconds", "End of the newest finished drill", drill},
    {"pgrehearse_drill_duration_seconds", "Duration of the newest finished drill", drill},
    {"pgrehearse_drill_phase_duration_seconds", "Duration of each phase of the newest drill",
     "scenario, stanza, phase"},
    {"pgrehearse_drill_rto_seconds",
     "Duration of the recovery, from the start of the restore until the instance is open", drill},
    {"pgrehearse_drill_rto_objective_seconds", "The scenario's objective for it", drill},
    {"pgrehearse_drill_rpo_seconds", "Loss of recent transactions", drill},
    {"pgrehearse_drill_rpo_objective_seconds", "The scenario's objective for it", drill},
    {"pgrehearse_drill_landing_timestamp_seconds",
     "Commit time of the last transaction that was recovered", drill},
    {"pgrehearse_drill_landing_age_seconds", "Age of that transaction when the drill started",
     drill},
    {"pgrehearse_drill_restored_bytes", "Bytes that the restore wrote", drill},
    {"pgrehearse_drill_restore_bytes_per_second", "Rate of the restore", drill},
    {"pgrehearse_drill_replayed_bytes", "WAL between the start of the backup and the landing",
     drill},
    {"pgrehearse_drill_replay_bytes_per_second", "Rate of WAL replay", drill},
    {"pgrehearse_drill_backup_stop_timestamp_seconds", "End of the backup that was restored",
     drill},
    {"pgrehearse_drill_backup_size_bytes", "Size of the cluster in that backup", drill},
    {"pgrehearse_drill_findings", "Findings of the newest finished drill by code",
     "scenario, stanza, code"},
    {"pgrehearse_drill_pass_timestamp_seconds", "End of the newest drill that passed", drill},
    {"pgrehearse_drill_running_start_timestamp_seconds",
     "Start of the drill that is running; absent while none is", drill},
    {"pgrehearse_drill_next_start_timestamp_seconds",
     "When the next drill is due (only from 'pgrehearse serve')", drill},
    {"pgrehearse_drill_notification_failed",
     "1 if this notification about the newest drill could not be delivered, else 0",
     "scenario, stanza, notification"},
    {"pgrehearse_proved_backups", "Backups in the ledger that a drill proved to be recoverable",
     "stanza"},
    {"pgrehearse_proved_range_seconds", "Length of the time ranges that drills proved", "stanza"},
    {"pgrehearse_proved_range_end_timestamp_seconds", "End of the newest of these ranges",
     "stanza"},
    {"pgrehearse_repository_observed_timestamp_seconds",
     "When the repository was listed; the metrics below describe that moment", repository},
    {"pgrehearse_repository_status_code", "Status code of the backup tool; 0 is ok", "stanza"},
    {"pgrehearse_backups", "Backups in the repository", "stanza, repository, type"},
    {"pgrehearse_unusable_backups", "Backups that cannot be restored", repository},
    {"pgrehearse_backup_stop_timestamp_seconds", "End of the newest backup", repository},
    {"pgrehearse_backup_duration_seconds", "Duration of the newest backup", repository},
    {"pgrehearse_backup_size_bytes", "Size of the cluster in the newest backup", repository},
    {"pgrehearse_backup_repository_size_bytes", "Size of the newest backup in the repository",
     repository},
    {"pgrehearse_backup_error", "1 if page checksum errors were found by the newest backup, else 0",
     repository},
    {"pgrehearse_oldest_recoverable_timestamp_seconds",
     "The earliest point in time that can be recovered", repository},
    {"pgrehearse_newest_recoverable_timestamp_seconds",
     "Commit time of the newest transaction that can be recovered", repository},
    {"pgrehearse_archive_gaps", "Gaps in the WAL archive", repository},
    {"pgrehearse_archive_end_lsn_bytes", "WAL position at the end of the archive", repository},
    {"pgrehearse_archive_size_bytes", "Size of the WAL archive", repository},
    {"pgrehearse_primary_lsn_bytes", "WAL position of the primary", "stanza"},
    {"pgrehearse_archive_lag_bytes", "WAL of the primary that is not in the archive", "stanza"},
    {"pgrehearse_archive_lag_seconds",
     "How long the oldest complete WAL segment has waited to be archived; 0 if none waits",
     "stanza"},
    {"pgrehearse_archive_waiting_segments", "Complete WAL segments that are not archived",
     "stanza"},
    {"pgrehearse_archive_failing", "1 if the newest attempt to archive WAL failed, else 0",
     "stanza"},
    {"pgrehearse_repository_size_bytes", "Size of the file system with the repository", "stanza"},
    {"pgrehearse_repository_free_bytes", "Free space of that file system", "stanza"},
});

}  // namespace

std::span<const MetricDescription> metric_table() { return table; }

const MetricDescription* find_metric(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &MetricDescription::name);
  return found == table.end() ? nullptr : found;
}

std::string metric_reference_markdown() {
  std::string page =
      "# Metrics\n\nGenerated by `ci/docs` from the program's table; do not edit. All are gauges. "
      "A "
      "sample without evidence is absent, never 0.\n\n| metric | labels | meaning "
      "|\n|---|---|---|\n";
  for (const auto& metric : table) {
    page += fmt::format("| `{}` | {} | {} |\n", metric.name, metric.labels, metric.help);
  }
  return page;
}

}  // namespace pgrehearse
