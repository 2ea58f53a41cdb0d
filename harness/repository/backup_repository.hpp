// The interface to the backup tool: list backups and the WAL archive, restore, fetch WAL, verify.
// Nothing here ever writes to the repository.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

enum class BackupType { full, differential, incremental };
// "full", "differential", "incremental"
std::string_view name_of(BackupType type);

struct Backup {
  std::string label;
  BackupType type = BackupType::full;
  std::string prior;                    // label; empty for a full backup
  std::vector<std::string> references;  // labels of the backups it depends on
  int repository_key = 1;               // pgBackRest's --repo
  int database_id = 0;                  // pgBackRest's database history id: archive "15-<id>"
  int postgres_major = 0;
  std::string postgres_version;  // "15", "9.6"
  std::uint64_t system_identifier = 0;
  std::string tool_version;  // of the pgBackRest that made it
  Instant start_time;
  Instant stop_time;
  std::optional<Lsn> start_lsn;  // absent in backups of old releases
  std::optional<Lsn> stop_lsn;
  std::string start_segment;  // first WAL file needed for consistency
  std::string stop_segment;
  Bytes size;                       // of the cluster
  Bytes repository_size;            // 0: not reported by the tool
  bool error = false;               // page checksum errors were found while it was taken
  std::vector<std::string> errors;  // files with those errors, if the tool lists them
  bool encrypted = false;
};

struct RepositoryStatus {
  int code = 0;  // pgBackRest's status code; 0 ok
  std::string message;
};

struct BackupList {
  RepositoryStatus status;
  // By repository key, where the tool reports them one by one.
  std::map<int, RepositoryStatus> repositories = {};
  // Oldest first, in the order of their labels: pgBackRest never takes a backup with an earlier
  // label, also after a clock was set back, and its `restore` uses the last one. Times may be out
  // of order.
  std::vector<Backup> backups;
  // Newest database history id by repository key; a stanza-upgrade creates a new one.
  std::map<int, int> newest_database;
};

struct ArchivedSegment {
  WalSegment segment;
  std::string file;  // name in the repository, with checksum and extension
  Bytes size;
};

// An independent listing of the WAL archive of one backup's cluster.
struct ArchiveListing {
  std::string id;  // "15-1"
  std::uint64_t segment_size = 0;
  std::vector<ArchivedSegment> segments;                      // sorted; duplicates are kept
  std::map<Timeline, std::vector<TimelineSwitch>> histories;  // from NNNNNNNN.history files
  std::vector<std::string> unrecognized;                      // file names of no known kind
  Instant listed_at;
};

// Where recovery stops.
enum class TargetType { latest, immediate, time, lsn, xid, name };

struct RecoveryTarget {
  TargetType type = TargetType::latest;
  std::optional<Instant> time;
  std::optional<Lsn> lsn;
  std::optional<std::uint32_t> xid;
  std::string name;
  bool exclusive = false;  // stop just before instead of just after; time, lsn and xid only
  std::string timeline = "latest";     // "latest", "current" or a number
  std::chrono::minutes utc_offset{0};  // with which the user wrote the time
  // Choose an LSN of this period at random: random_target() replaces type and lsn. Until then the
  // type is `latest`.
  std::optional<std::chrono::milliseconds> within = {};
  std::string chosen = {};  // "random within 7d 0h, seed 42": how the LSN was chosen; empty: stated
};
// "time 2026-11-20 03:00:00 UTC (exclusive)"
std::string to_text(const RecoveryTarget& target);
// Whether data loss can be measured: the target is a time, or `latest`.
bool is_time_target(const RecoveryTarget& target);

// When drills restored a backup.
struct BackupTrial {
  std::optional<Instant> passed;  // newest drill that passed
  std::optional<Instant> tried;   // newest drill with any verdict
};
// By repository key and label.
using BackupTrials = std::map<std::pair<int, std::string>, BackupTrial>;

// The scenario's section `repository`.
struct RepositorySpec {
  std::string type = "pgbackrest";
  std::string stanza;             // Barman: the server's name; basebackup: the directory's name
  std::filesystem::path path;     // basebackup: directory of the backups
  std::filesystem::path archive;  // basebackup: directory of the WAL archive
  std::string restore_command;    // basebackup: PostgreSQL's; empty: files are copied
  std::optional<std::filesystem::path> configuration;  // absolute
  std::string binary = "pgbackrest";                   // name or path of the tool or a fork
  std::optional<int> key;                              // --repo
  // "latest", "oldest", "random", "unproved", "older_than", or a label.
  std::string backup = "latest";
  std::optional<std::chrono::milliseconds> older_than = {};  // with "older_than"
  std::uint64_t seed = 0;                                    // with "random"
  BackupTrials trials = {};                                  // with "unproved", from the ledger
  // Restore only these and the system databases; empty: all.
  std::vector<std::string> databases = {};
};

// What a sandbox needs to read the repository: paths, mounted read-only at the same location, and
// network access if the repository is remote.
struct RepositoryAccess {
  // Configuration, certificates, and the repository if it is on this host.
  std::vector<std::filesystem::path> paths;
  std::string remote;                           // "repo1 is of type s3"; empty: nothing is remote
  std::vector<NetworkEndpoint> endpoints = {};  // of the remote repositories
  std::string obstacle = {};                    // why access to them is not enough; empty: it is
};

// `spec` extended by what `access` needs.
[[nodiscard]] SandboxSpec with_access(SandboxSpec spec, RepositoryAccess access);

struct RestoreProgress {
  std::optional<double> fraction;  // 0..1; absent: unknown
  Bytes done;
};

// How WAL is fetched: one segment at a time, or with prefetch, which makes replay faster and a
// single segment slower.
enum class WalFetch { single, ahead };

class BackupRepository {
 public:
  virtual ~BackupRepository() = default;
  // "pgBackRest 2.45". Throws Error(environment) when the tool is not installed.
  virtual std::string version(std::stop_token stop) = 0;
  // Throws Error(repository) or Error(environment), classified by the tool's exit code.
  virtual BackupList list(std::stop_token stop) = 0;
  // Bytes of one WAL segment of the backup's cluster; nullopt: cannot be determined.
  virtual std::optional<std::uint64_t> wal_segment_size(const Backup& backup,
                                                        std::stop_token stop) = 0;
  // Lists the archive's files; the tool's own min/max WAL do not imply continuity.
  virtual ArchiveListing list_archive(const Backup& backup, std::uint64_t segment_size,
                                      std::stop_token stop) = 0;
  // Restores into the sandbox's data directory, tablespaces below its tablespace directory.
  virtual void restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
                       const std::function<void(const RestoreProgress&)>& on_progress,
                       std::stop_token stop) = 0;
  // Argument vector of the command that fetches one WAL file inside the sandbox; the caller appends
  // the file's name and the destination. Exit code 0: fetched, 1: not in the archive, else: error.
  virtual std::vector<std::string> archive_get(const Backup& backup, const Sandbox& sandbox,
                                               WalFetch fetch) = 0;
  // What the tool reads inside a sandbox.
  virtual RepositoryAccess access() = 0;
  struct Verification {
    bool ok = false;
    std::vector<std::string> problems;  // lines of the tool, one problem each
    std::string output;
  };
  // The tool's own verification of the repository, from its text; its exit code is not reliable.
  virtual Verification verify(const Backup& backup, std::stop_token stop) = 0;
};

// The backup that a restore to `target` starts from, and why, in one sentence. Throws
// Error(repository, backup_none) with the recoverable window when no backup fits.
struct BackupChoice {
  Backup backup;
  std::string reason;
};
BackupChoice choose_backup(const BackupList& list, const RepositorySpec& spec,
                           const RecoveryTarget& target);

}  // namespace pgrehearse
