// Parses the files that pg_basebackup writes: backup_label, backup_manifest, the backup history
// file in the archive, and the output of pg_verifybackup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct BackupLabel {
  Lsn start_lsn;
  std::string start_segment;
  Timeline timeline = 0;
  std::string label;       // pg_basebackup --label
  std::string start_time;  // with an abbreviated time zone: not always an instant
  bool from_standby = false;
  bool incremental = false;  // PostgreSQL 17
};
// Throws Error(repository, repo_damaged) when it is none.
BackupLabel parse_backup_label(std::string_view text);

struct BackupManifest {
  std::uint64_t system_identifier = 0;  // 0: before PostgreSQL 17
  Bytes size;                           // of all files
  std::optional<Lsn> end_lsn;
  std::size_t files = 0;
};
// Throws Error(repository, repo_damaged) when it is none.
BackupManifest parse_backup_manifest(std::string_view json);

struct BackupHistory {
  std::optional<Lsn> stop_lsn;
  std::string stop_segment;
  std::optional<Instant> stop_time;  // absent if its time zone is an abbreviation other than UTC
};
// "000000010000000000000002.00000028.backup" in the archive.
BackupHistory parse_backup_history(std::string_view text);

// "2026-11-20 03:00:00 UTC"; nullopt for a time zone whose offset is not known.
std::optional<Instant> parse_label_time(std::string_view text);

// One problem per line of pg_verifybackup's error output.
std::vector<std::string> parse_verifybackup(std::string_view error_output);

// "base/5/16385" in `checksum mismatch for file "base/5/16385"`; empty if no file is named.
std::string file_in(std::string_view problem);

}  // namespace pgrehearse
