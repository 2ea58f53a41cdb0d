#include "harness/report/finding_codes.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

using enum FindingCode;
using enum Severity;
using Cause = LikelyCause;

constexpr auto table = std::to_array<FindingCodeDescription>({
    {amcheck_database, "PGR-AMCHECK-DATABASE", error, Cause::backup, 190,
     "a database cannot be opened or its catalog cannot be read because of damage"},
    {amcheck_error, "PGR-AMCHECK-ERROR", unknown, Cause::environment, 190,
     "pg_amcheck could not check a database or a relation"},
    {amcheck_heap, "PGR-AMCHECK-HEAP", error, Cause::backup, 170,
     "pg_amcheck found a damaged table"},
    {amcheck_index, "PGR-AMCHECK-INDEX", error, Cause::backup, 180,
     "pg_amcheck found a damaged index, or rows without index entries"},
    {amcheck_skipped, "PGR-AMCHECK-SKIPPED", unknown, Cause::scenario, 190,
     "the extension amcheck is not installed in a database"},
    {archive_failing, "PGR-ARCHIVE-FAILING", error, Cause::archive, 34,
     "archiving fails on the primary"},
    {archive_lag, "PGR-ARCHIVE-LAG", error, Cause::archive, 36,
     "WAL is not archived in time on the primary"},
    {archive_not_stored, "PGR-ARCHIVE-NOT-STORED", error, Cause::archive, 32,
     "the primary reports WAL as archived that is not in the repository"},
    {backup_error, "PGR-BACKUP-ERROR", error, Cause::primary, 130,
     "the backup contains pages whose checksums were wrong when it was taken"},
    {backup_expired, "PGR-BACKUP-EXPIRED", unknown, Cause::environment, 130,
     "the backup expired during the drill"},
    {backup_none, "PGR-BACKUP-NONE", error, Cause::scenario, 130,
     "no backup can be recovered to the target"},
    {backup_old, "PGR-BACKUP-OLD", error, Cause::backup, 130,
     "the newest backup of a repository is older than allowed, or there is none"},
    {backup_reference, "PGR-BACKUP-REFERENCE", error, Cause::backup, 100,
     "a backup depends on another backup that is no longer in the repository"},
    {backup_repaired, "PGR-BACKUP-REPAIRED", note, Cause::primary, 130,
     "an older backup contains damaged pages that this backup no longer has"},
    {backup_retention, "PGR-BACKUP-RETENTION", error, Cause::backup, 130,
     "a repository keeps fewer backups than required"},
    {backup_size, "PGR-BACKUP-SIZE", note, Cause::primary, 130,
     "the cluster in the newest full backup has a very different size from the one before"},
    {backup_status, "PGR-BACKUP-STATUS", error, Cause::backup, 130,
     "pgbackrest info reports a status other than ok"},
    {backup_unverified, "PGR-BACKUP-UNVERIFIED", unknown, Cause::environment, 130,
     "the repository could not be verified"},
    {backup_verify, "PGR-BACKUP-VERIFY", error, Cause::backup, 130,
     "a file in the repository is missing or damaged"},
    {check_error, "PGR-CHECK-ERROR", unknown, Cause::environment, 210,
     "a check ended with an unexpected error"},
    {check_not_run, "PGR-CHECK-NOT-RUN", unknown, Cause::environment, 210,
     "a check named in the scenario could not run"},
    {checksums_error, "PGR-CHECKSUMS-ERROR", unknown, Cause::environment, 110,
     "pg_checksums could not run"},
    {checksums_file, "PGR-CHECKSUMS-FILE", error, Cause::backup, 110,
     "pg_checksums could not read a data file completely"},
    {checksums_off, "PGR-CHECKSUMS-OFF", unknown, Cause::primary, 110,
     "page checksums are not enabled in the cluster"},
    {checksums_page, "PGR-CHECKSUMS-PAGE", error, Cause::backup, 110,
     "a page does not match its checksum"},
    {checksums_stray, "PGR-CHECKSUMS-STRAY", note, Cause::primary, 110,
     "the data directory contains a file that PostgreSQL does not use"},
    {clock_wrong, "PGR-CLOCK-WRONG", unknown, Cause::primary, 290,
     "a clock was wrong, so times cannot be compared"},
    {cluster_bootstrap, "PGR-CLUSTER-BOOTSTRAP", error, Cause::backup, 284,
     "Patroni could not bootstrap a new cluster from the restored data"},
    {cluster_environment, "PGR-CLUSTER-ENVIRONMENT", unknown, Cause::environment, 284,
     "etcd or Patroni could not run in the sandbox"},
    {cluster_replica, "PGR-CLUSTER-REPLICA", error, Cause::backup, 285,
     "a second member could not join the new Patroni cluster"},
    {cluster_rows, "PGR-CLUSTER-ROWS", error, Cause::backup, 286,
     "a member of the new Patroni cluster does not have the rows of the restored cluster"},
    {cluster_timeout, "PGR-CLUSTER-TIMEOUT", unknown, Cause::environment, 284,
     "the new Patroni cluster was not complete in time"},
    {collation_version, "PGR-COLLATION-VERSION", error, Cause::environment, 160,
     "a collation has a different version on this host"},
    {compare_catalog_changed, "PGR-COMPARE-CATALOG-CHANGED", error, Cause::backup, 210,
     "an object's definition differs from the primary's"},
    {compare_catalog_extra, "PGR-COMPARE-CATALOG-EXTRA", error, Cause::backup, 210,
     "an object is not in the primary's catalog"},
    {compare_catalog_missing, "PGR-COMPARE-CATALOG-MISSING", error, Cause::backup, 210,
     "an object of the primary's catalog is missing"},
    {compare_content, "PGR-COMPARE-CONTENT", error, Cause::backup, 210,
     "a relation's content differs from the primary's"},
    {compare_file, "PGR-COMPARE-FILE", unknown, Cause::scenario, 210,
     "the fingerprint file cannot be used"},
    {compare_in_flight, "PGR-COMPARE-IN-FLIGHT", unknown, Cause::environment, 210,
     "the fingerprint's snapshot and WAL position do not match"},
    {compare_incomplete, "PGR-COMPARE-INCOMPLETE", unknown, Cause::environment, 210,
     "part of the data could not be read and was not compared"},
    {compare_inexact, "PGR-COMPARE-INEXACT", note, Cause::environment, 210,
     "no exact pair of snapshot and WAL position was available"},
    {compare_no_primary, "PGR-COMPARE-NO-PRIMARY", unknown, Cause::scenario, 210,
     "the scenario has neither a primary nor a fingerprint file"},
    {compare_not_comparable, "PGR-COMPARE-NOT-COMPARABLE", note, Cause::environment, 210,
     "a relation was rewritten or locked, and was not compared"},
    {compare_not_reached, "PGR-COMPARE-NOT-REACHED", unknown, Cause::environment, 210,
     "recovery did not pass the fingerprint's WAL position"},
    {compare_past_target, "PGR-COMPARE-PAST-TARGET", unknown, Cause::scenario, 210,
     "the recovery target is before the primary's present state"},
    {compare_rows_extra, "PGR-COMPARE-ROWS-EXTRA", error, Cause::backup, 210,
     "a relation has more rows than on the primary"},
    {compare_rows_missing, "PGR-COMPARE-ROWS-MISSING", error, Cause::backup, 210,
     "a relation has fewer rows than on the primary"},
    {compare_sequence, "PGR-COMPARE-SEQUENCE", error, Cause::backup, 210,
     "a sequence's value differs from the primary's"},
    {compare_unreadable, "PGR-COMPARE-UNREADABLE", error, Cause::backup, 210,
     "a relation or sequence cannot be read"},
    {control_data, "PGR-CONTROL-DATA", error, Cause::backup, 105,
     "the output of pg_controldata could not be parsed"},
    {control_unreadable, "PGR-CONTROL-UNREADABLE", error, Cause::backup, 105,
     "global/pg_control cannot be read"},
    {database_connect, "PGR-DATABASE-CONNECT", error, Cause::backup, 200,
     "a database refuses connections"},
    {database_invalid, "PGR-DATABASE-INVALID", error, Cause::primary, 140,
     "a DROP DATABASE was interrupted"},
    {database_unreadable, "PGR-DATABASE-UNREADABLE", unknown, Cause::backup, 200,
     "a check could not read a database"},
    {env_account, "PGR-ENV-ACCOUNT", unknown, Cause::environment, 10,
     "the sandbox's operating system account cannot be used"},
    {env_binaries, "PGR-ENV-BINARIES", unknown, Cause::environment, 10,
     "no PostgreSQL binaries of the backup's major version were found"},
    {env_binary, "PGR-ENV-BINARY", unknown, Cause::environment, 10,
     "a program is not installed or not executable"},
    {env_config, "PGR-ENV-CONFIG", unknown, Cause::environment, 10,
     "pgBackRest rejects its configuration or an option"},
    {env_container, "PGR-ENV-CONTAINER", unknown, Cause::environment, 10,
     "the container engine refused a request, or the container exited"},
    {env_directory, "PGR-ENV-DIRECTORY", unknown, Cause::environment, 10,
     "the sandbox's directory could not be created"},
    {env_disk_full, "PGR-ENV-DISK-FULL", unknown, Cause::environment, 10,
     "the sandbox's disk is full"},
    {env_engine, "PGR-ENV-ENGINE", unknown, Cause::environment, 10,
     "the container engine cannot be used"},
    {env_file, "PGR-ENV-FILE", unknown, Cause::environment, 10,
     "a file could not be read or written"},
    {env_host, "PGR-ENV-HOST", unknown, Cause::environment, 10,
     "the repository's host or storage service cannot be reached"},
    {env_image, "PGR-ENV-IMAGE", unknown, Cause::environment, 10,
     "the sandbox's image is missing or cannot be used"},
    {env_killed, "PGR-ENV-KILLED", unknown, Cause::environment, 10,
     "PostgreSQL was killed by signal 9"},
    {env_kubernetes, "PGR-ENV-KUBERNETES", unknown, Cause::environment, 10,
     "the drill's Kubernetes pod could not be run"},
    {env_leftover, "PGR-ENV-LEFTOVER", unknown, Cause::environment, 10,
     "the sandbox could not be removed completely"},
    {env_locale, "PGR-ENV-LOCALE", unknown, Cause::environment, 10,
     "a locale of the restored cluster is missing on this host"},
    {env_lock, "PGR-ENV-LOCK", unknown, Cause::environment, 10, "another process holds a lock"},
    {env_memory, "PGR-ENV-MEMORY", unknown, Cause::environment, 10, "memory ran out"},
    {env_not_empty, "PGR-ENV-NOT-EMPTY", unknown, Cause::environment, 10,
     "the restore's destination is not empty"},
    {env_permission, "PGR-ENV-PERMISSION", unknown, Cause::environment, 10,
     "permission to read the repository or its configuration is missing"},
    {env_report_file, "PGR-ENV-REPORT-FILE", unknown, Cause::environment, 10,
     "a report file could not be written"},
    {env_sandbox, "PGR-ENV-SANDBOX", unknown, Cause::environment, 10,
     "even a new, empty cluster does not start in the sandbox"},
    {env_sandbox_in_use, "PGR-ENV-SANDBOX-IN-USE", unknown, Cause::environment, 10,
     "a sandbox is in use and was not removed"},
    {env_state, "PGR-ENV-STATE", unknown, Cause::environment, 10,
     "the state directory could not be written"},
    {env_superuser, "PGR-ENV-SUPERUSER", unknown, Cause::scenario, 10,
     "the superuser that the drill connects as does not exist in the restored cluster"},
    {env_timeout, "PGR-ENV-TIMEOUT", unknown, Cause::environment, 10,
     "a command or the drill timed out"},
    {env_tool, "PGR-ENV-TOOL", unknown, Cause::environment, 10,
     "pgBackRest failed with an unclassified error"},
    {env_vm, "PGR-ENV-VM", unknown, Cause::environment, 10,
     "the virtual machine could not be started, or stopped responding"},
    {extension_library, "PGR-EXTENSION-LIBRARY", error, Cause::environment, 150,
     "a library needed by a database's functions cannot be loaded on this host"},
    {extension_version, "PGR-EXTENSION-VERSION", error, Cause::environment, 150,
     "the installed version of an extension is not available on this host"},
    {freshness_old, "PGR-FRESHNESS-OLD", error, Cause::archive, 270,
     "the newest recovered commit is older than allowed"},
    {freshness_unknown, "PGR-FRESHNESS-UNKNOWN", unknown, Cause::scenario, 270,
     "the age of the newest recovered commit is unknown"},
    {identity_system, "PGR-IDENTITY-SYSTEM", error, Cause::scenario, 20,
     "the system identifier is not the expected one"},
    {identity_version, "PGR-IDENTITY-VERSION", error, Cause::backup, 20,
     "the major version is not the expected one"},
    {index_duplicate, "PGR-INDEX-DUPLICATE", error, Cause::backup, 220,
     "rows have duplicate keys despite a unique index"},
    {index_invalid, "PGR-INDEX-INVALID", error, Cause::primary, 220, "an index is invalid"},
    {isolation_reduced, "PGR-ISOLATION-REDUCED", note, Cause::environment, 210,
     "this host lacks a means of isolation"},
    {landing_short, "PGR-LANDING-SHORT", error, Cause::archive, 80,
     "recovery ended before the end of the WAL archive"},
    {landing_unproved, "PGR-LANDING-UNPROVED", unknown, Cause::archive, 80,
     "there is no proof of where recovery stopped"},
    {landing_wrong, "PGR-LANDING-WRONG", error, Cause::archive, 80,
     "recovery did not stop at the requested target"},
    {log_damage, "PGR-LOG-DAMAGE", error, Cause::backup, 260,
     "the PostgreSQL log reports damaged or missing data"},
    {log_incomplete, "PGR-LOG-INCOMPLETE", unknown, Cause::environment, 260,
     "the PostgreSQL log was not written completely"},
    {log_missing, "PGR-LOG-MISSING", unknown, Cause::environment, 260,
     "there is no PostgreSQL log to search for damage"},
    {log_panic, "PGR-LOG-PANIC", error, Cause::backup, 120, "the PostgreSQL log contains a PANIC"},
    {page_invalid, "PGR-PAGE-INVALID", error, Cause::backup, 120, "replay found a damaged page"},
    {prepared_transaction, "PGR-PREPARED-TRANSACTION", note, Cause::primary, 210,
     "the cluster has a prepared transaction"},
    {primary_cluster, "PGR-PRIMARY-CLUSTER", unknown, Cause::primary, 210,
     "a Patroni member belongs to another cluster"},
    {primary_no_leader, "PGR-PRIMARY-NO-LEADER", unknown, Cause::primary, 210,
     "the Patroni cluster has no leader"},
    {primary_no_member, "PGR-PRIMARY-NO-MEMBER", unknown, Cause::primary, 210,
     "no member of the Patroni cluster gives a usable response"},
    {primary_paused, "PGR-PRIMARY-PAUSED", unknown, Cause::primary, 210,
     "the Patroni cluster is paused and has no leader"},
    {primary_role, "PGR-PRIMARY-ROLE", unknown, Cause::primary, 210,
     "a server does not have the expected role"},
    {primary_standby_cluster, "PGR-PRIMARY-STANDBY-CLUSTER", unknown, Cause::primary, 210,
     "the Patroni cluster is a standby cluster"},
    {primary_unreachable, "PGR-PRIMARY-UNREACHABLE", unknown, Cause::primary, 210,
     "the primary cannot be reached"},
    {probe_incomplete, "PGR-PROBE-INCOMPLETE", unknown, Cause::environment, 185,
     "an index could not be probed"},
    {probe_index, "PGR-PROBE-INDEX", error, Cause::backup, 180, "an index is damaged"},
    {probe_row_missing, "PGR-PROBE-ROW-MISSING", error, Cause::backup, 180,
     "a row is not found through an index"},
    {probe_unsupported, "PGR-PROBE-UNSUPPORTED", note, Cause::environment, 185,
     "an index has no operator with which a row finds itself"},
    {probe_visibility, "PGR-PROBE-VISIBILITY", error, Cause::backup, 180,
     "the visibility map marks a page as all-visible that is not"},
    {promotion_failed, "PGR-PROMOTION-FAILED", error, Cause::backup, 210,
     "the restored cluster could not be promoted"},
    {query_database, "PGR-QUERY-DATABASE", error, Cause::scenario, 280,
     "the database of a query does not exist"},
    {query_error, "PGR-QUERY-ERROR", error, Cause::backup, 280, "a query failed with an error"},
    {query_mismatch, "PGR-QUERY-MISMATCH", error, Cause::backup, 280,
     "a query did not return the expected result"},
    {query_timeout, "PGR-QUERY-TIMEOUT", unknown, Cause::environment, 280,
     "a query took longer than its timeout"},
    {relation_locked, "PGR-RELATION-LOCKED", unknown, Cause::primary, 210,
     "a relation is locked by a prepared transaction"},
    {replay_slow, "PGR-REPLAY-SLOW", error, Cause::environment, 210,
     "replay did not reach the target in time"},
    {replica_behind, "PGR-REPLICA-BEHIND", error, Cause::environment, 284,
     "a standby created from the backup did not catch up with the primary in time"},
    {replica_refused, "PGR-REPLICA-REFUSED", unknown, Cause::scenario, 284,
     "the primary refused the replication connection of a standby"},
    {replica_start, "PGR-REPLICA-START", error, Cause::backup, 284,
     "a standby created from the backup did not start"},
    {replica_stream, "PGR-REPLICA-STREAM", error, Cause::archive, 284,
     "a standby created from the backup cannot stream from the primary"},
    {repo_cipher, "PGR-REPO-CIPHER", error, Cause::scenario, 90,
     "the repository cannot be decrypted"},
    {repo_damaged, "PGR-REPO-DAMAGED", error, Cause::backup, 90,
     "a file in the repository is damaged"},
    {repo_empty, "PGR-REPO-EMPTY", error, Cause::backup, 130,
     "one of several repositories has no backup"},
    {repo_file_missing, "PGR-REPO-FILE-MISSING", error, Cause::backup, 90,
     "a file is missing from the repository"},
    {repo_info, "PGR-REPO-INFO", error, Cause::backup, 90,
     "the output of pgbackrest info could not be parsed"},
    {repo_invalid, "PGR-REPO-INVALID", error, Cause::backup, 90,
     "pgBackRest found no valid repository"},
    {repo_listing, "PGR-REPO-LISTING", error, Cause::archive, 90,
     "the WAL archive could not be listed"},
    {repo_mismatch, "PGR-REPO-MISMATCH", error, Cause::backup, 90,
     "the backup or the WAL archive belongs to another cluster or timeline"},
    {repo_stanza, "PGR-REPO-STANZA", error, Cause::scenario, 90,
     "the stanza is missing from the repository, or incomplete"},
    {rows_differ, "PGR-ROWS-DIFFER", error, Cause::backup, 240,
     "a table's row count differs from the expected count"},
    {rows_extra_database, "PGR-ROWS-EXTRA-DATABASE", error, Cause::backup, 240,
     "there is an unexpected database"},
    {rows_extra_table, "PGR-ROWS-EXTRA-TABLE", error, Cause::backup, 240,
     "there is an unexpected table"},
    {rows_locked, "PGR-ROWS-LOCKED", unknown, Cause::environment, 240,
     "a table could not be counted because replay holds a lock on it"},
    {rows_missing_database, "PGR-ROWS-MISSING-DATABASE", error, Cause::backup, 230,
     "a database is missing"},
    {rows_missing_table, "PGR-ROWS-MISSING-TABLE", error, Cause::backup, 235, "a table is missing"},
    {rows_no_primary, "PGR-ROWS-NO-PRIMARY", unknown, Cause::scenario, 240,
     "the scenario has nothing to compare row counts with"},
    {rows_past_target, "PGR-ROWS-PAST-TARGET", unknown, Cause::scenario, 240,
     "the recovery target is before the primary's present state"},
    {rows_too_few, "PGR-ROWS-TOO-FEW", error, Cause::backup, 240,
     "a table has fewer rows than the scenario requires"},
    {rows_uncounted, "PGR-ROWS-UNCOUNTED", unknown, Cause::primary, 240,
     "a table could not be counted on the primary"},
    {rows_unreadable, "PGR-ROWS-UNREADABLE", error, Cause::backup, 240, "a table cannot be read"},
    {rpo_exceeded, "PGR-RPO-EXCEEDED", error, Cause::archive, 290,
     "more commits would be lost than objectives.rpo allows"},
    {rpo_unknown, "PGR-RPO-UNKNOWN", unknown, Cause::archive, 290, "the RPO could not be measured"},
    {rto_exceeded, "PGR-RTO-EXCEEDED", error, Cause::environment, 300,
     "recovery took longer than objectives.rto allows"},
    {sequence_behind, "PGR-SEQUENCE-BEHIND", error, Cause::primary, 250,
     "a sequence is behind the values in its column"},
    {sequence_unlogged, "PGR-SEQUENCE-UNLOGGED", error, Cause::primary, 250,
     "an unlogged sequence supplies the values of a logged table"},
    {setting_differs, "PGR-SETTING-DIFFERS", error, Cause::primary, 210,
     "a setting does not have the expected value"},
    {setting_file, "PGR-SETTING-FILE", error, Cause::backup, 210,
     "the restored configuration files cannot be used"},
    {setting_not_in_backup, "PGR-SETTING-NOT-IN-BACKUP", unknown, Cause::backup, 210,
     "a setting is not in any file of the backup"},
    {setting_unrecognized, "PGR-SETTING-UNRECOGNIZED", unknown, Cause::scenario, 210,
     "a setting in the scenario does not exist in PostgreSQL"},
    {shutdown_failed, "PGR-SHUTDOWN-FAILED", error, Cause::backup, 210,
     "the restored cluster could not be stopped cleanly"},
    {slot_lost, "PGR-SLOT-LOST", error, Cause::primary, 210,
     "a replication slot on the primary is lost"},
    {slot_missing, "PGR-SLOT-MISSING", error, Cause::primary, 210,
     "a replication slot is missing on the primary"},
    {slot_no_primary, "PGR-SLOT-NO-PRIMARY", unknown, Cause::scenario, 210,
     "the scenario has no primary whose replication slots could be checked"},
    {snapshot_pending, "PGR-SNAPSHOT-PENDING", unknown, Cause::primary, 210,
     "the instance cannot accept queries while recovery is paused"},
    {startup_failed, "PGR-STARTUP-FAILED", error, Cause::backup, 210,
     "the restored cluster did not start"},
    {startup_library, "PGR-STARTUP-LIBRARY", error, Cause::environment, 210,
     "PostgreSQL did not start because a library is missing on this host"},
    {startup_refused, "PGR-STARTUP-REFUSED", error, Cause::backup, 210,
     "the restored cluster refuses connections"},
    {startup_setting, "PGR-STARTUP-SETTING", error, Cause::environment, 210,
     "PostgreSQL did not start because of a restored setting"},
    {tablespace_new, "PGR-TABLESPACE-NEW", unknown, Cause::environment, 210,
     "replay would create a tablespace outside the sandbox"},
    {target_ambiguous, "PGR-TARGET-AMBIGUOUS", unknown, Cause::scenario, 210,
     "the recovery target occurs more than once"},
    {target_before_consistency, "PGR-TARGET-BEFORE-CONSISTENCY", error, Cause::scenario, 210,
     "the recovery target is before the backup's consistent state"},
    {target_not_reached, "PGR-TARGET-NOT-REACHED", error, Cause::scenario, 210,
     "the WAL archive ends before the recovery target"},
    {target_orphaned, "PGR-TARGET-ORPHANED", error, Cause::scenario, 210,
     "the recovery target is on a branch that the followed timeline does not contain"},
    {timeline_branch, "PGR-TIMELINE-BRANCH", note, Cause::archive, 70,
     "WAL of an older timeline was archived after the switch to a newer one"},
    {timeline_diverged, "PGR-TIMELINE-DIVERGED", error, Cause::archive, 70,
     "recovery ended on a timeline that the primary does not follow"},
    {timeline_history, "PGR-TIMELINE-HISTORY", error, Cause::archive, 50,
     "a timeline history file is missing or unreadable"},
    {timeline_missing, "PGR-TIMELINE-MISSING", error, Cause::scenario, 40,
     "the requested timeline has no history file in the archive"},
    {timeline_not_child, "PGR-TIMELINE-NOT-CHILD", error, Cause::archive, 70,
     "the timeline does not descend from the backup's timeline"},
    {timeline_old_primary, "PGR-TIMELINE-OLD-PRIMARY", error, Cause::archive, 70,
     "recovery followed the old primary past the switch to a new timeline"},
    {timeline_orphaned_commits, "PGR-TIMELINE-ORPHANED-COMMITS", note, Cause::primary, 70,
     "transactions were committed after the switch point and are not on any later timeline"},
    {timeline_outdated, "PGR-TIMELINE-OUTDATED", error, Cause::archive, 70,
     "recovery ended on an older timeline than the primary's"},
    {timeline_parent_newer, "PGR-TIMELINE-PARENT-NEWER", error, Cause::archive, 60,
     "the newest timeline's parent has newer WAL"},
    {wal_backup, "PGR-WAL-BACKUP", error, Cause::archive, 30,
     "WAL written while the backup was taken is missing or damaged"},
    {wal_damaged, "PGR-WAL-DAMAGED", error, Cause::archive, 30, "a WAL file is damaged"},
    {wal_duplicate, "PGR-WAL-DUPLICATE", error, Cause::archive, 30,
     "a WAL segment is archived more than once with different content"},
    {wal_fetch, "PGR-WAL-FETCH", error, Cause::archive, 90, "the repository failed during replay"},
    {wal_foreign, "PGR-WAL-FOREIGN", error, Cause::archive, 30,
     "a WAL file belongs to another cluster"},
    {wal_gap, "PGR-WAL-GAP", error, Cause::archive, 30,
     "WAL segments are missing after the backup"},
    {wal_invalid_pages, "PGR-WAL-INVALID-PAGES", error, Cause::backup, 30,
     "WAL refers to pages that are missing from the backup"},
    {wal_level_minimal, "PGR-WAL-LEVEL-MINIMAL", error, Cause::archive, 30,
     "WAL was generated with wal_level=minimal"},
    {wal_missing, "PGR-WAL-MISSING", error, Cause::archive, 30,
     "WAL that the backup needs is missing from the archive"},
    {wal_size, "PGR-WAL-SIZE", error, Cause::archive, 30,
     "a file in the WAL archive has the wrong size"},
});

const FindingCodeDescription* find(FindingCode code) {
  const auto* row = std::ranges::find(table, code, &FindingCodeDescription::code);
  return row == table.end() ? nullptr : row;
}

template <typename Value, std::size_t Count>
std::optional<Value> value_named(std::string_view name, const std::array<Value, Count>& values) {
  const auto* found = std::ranges::find(values, name, [](Value value) { return name_of(value); });
  if (found == values.end()) return std::nullopt;
  return *found;
}

}  // namespace

std::span<const FindingCodeDescription> finding_code_table() { return table; }

std::string_view text_of(FindingCode code) {
  const auto* row = find(code);
  return row == nullptr ? std::string_view() : row->text;
}

FindingCode finding_code_of(std::string_view text) {
  const auto* row = std::ranges::find(table, text, &FindingCodeDescription::text);
  return row == table.end() ? FindingCode::none : row->code;
}

Severity severity_of(FindingCode code) {
  const auto* row = find(code);
  return row == nullptr ? unknown : row->severity;
}

LikelyCause likely_cause_of(FindingCode code) {
  const auto* row = find(code);
  return row == nullptr ? Cause::none : row->likely_cause;
}

int rank_of(FindingCode code) {
  const auto* row = find(code);
  return row == nullptr ? last_rank : row->rank;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case error:
      return "error";
    case unknown:
      return "unknown";
    case note:
      return "note";
  }
  return "unknown";
}

std::optional<Severity> parse_severity(std::string_view name) {
  return value_named(name, all_severities);
}

std::string_view name_of(LikelyCause cause) {
  switch (cause) {
    case Cause::none:
      return "none";
    case Cause::backup:
      return "backup";
    case Cause::archive:
      return "archive";
    case Cause::primary:
      return "primary";
    case Cause::environment:
      return "environment";
    case Cause::scenario:
      return "scenario";
    case Cause::pgrehearse:
      return "pgrehearse";
  }
  return "none";
}

std::optional<LikelyCause> parse_likely_cause(std::string_view name) {
  return value_named(name, all_likely_causes);
}

}  // namespace pgrehearse
