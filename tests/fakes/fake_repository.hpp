// A BackupRepository in memory: one full backup and its WAL, which tests may change. Calls, in
// CallRecord's words: "version", "list backups", "list archive", "restore", "archive_get",
// "verify".
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/repository/backup_repository.hpp"
#include "tests/fakes/call_record.hpp"

namespace pgrehearse {

class FakeRepository : public BackupRepository {
 public:
  static constexpr std::uint64_t segment_bytes = std::uint64_t{16} << 20U;

  // `calls` outlives the repository.
  explicit FakeRepository(CallRecord& calls) : calls_(calls) {
    backups.push_back({.label = "20261120-010000F",
                       .database_id = 1,
                       .postgres_major = 15,
                       .postgres_version = "15",
                       .system_identifier = 7710428306718581329ULL,
                       .tool_version = "2.45",
                       .start_time = Instant(std::chrono::seconds(1'795'136'400)),
                       .stop_time = Instant(std::chrono::seconds(1'795'136'460)),
                       .start_lsn = Lsn{2 * segment_bytes + 0x28},
                       .stop_lsn = Lsn{2 * segment_bytes + 0x100},
                       .start_segment = "000000010000000000000002",
                       .stop_segment = "000000010000000000000002",
                       .size = {1000},
                       .repository_size = {400}});
    for (const std::uint64_t number : {2, 3}) archive_segment({.timeline = 1, .number = number});
  }

  // The contents of the repository; tests may change them.
  std::vector<Backup> backups;
  RepositoryStatus status{.code = 0, .message = "ok"};
  std::vector<ArchivedSegment> segments;
  std::map<Timeline, std::vector<TimelineSwitch>> histories;
  std::vector<std::string> damaged;  // files; verify() names them, restore() fails for the first
  std::vector<std::string> archive_get_words = {"archive-get"};

  void archive_segment(WalSegment segment) {
    segments.push_back({.segment = segment,
                        .file = file_name(segment, segment_bytes) + "-" + std::string(40, 'a'),
                        .size = {segment_bytes}});
  }

  std::string version(std::stop_token) override {
    calls_.made("version");
    return "pgBackRest 2.45";
  }
  BackupList list(std::stop_token stop) override {
    calls_.made("list backups");
    refuse_when_stopped(stop);
    return {.status = status, .backups = backups, .newest_database = {{1, 1}}};
  }
  std::optional<std::uint64_t> wal_segment_size(const Backup&, std::stop_token) override {
    return segment_bytes;
  }
  ArchiveListing list_archive(const Backup& backup, std::uint64_t segment_size,
                              std::stop_token stop) override {
    calls_.made("list archive");
    refuse_when_stopped(stop);
    return {.id = backup.postgres_version + "-1",
            .segment_size = segment_size,
            .segments = segments,
            .histories = histories};
  }
  void restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
               const std::function<void(const RestoreProgress&)>& on_progress,
               std::stop_token stop) override {
    calls_.made("restore");
    refuse_when_stopped(stop);
    if (!damaged.empty()) {
      throw Error(ErrorKind::restore, "backup " + backup.label + " could not be restored",
                  "restore another backup", FindingCode::repo_damaged, damaged.front());
    }
    const auto& data = sandbox.paths().data;
    const bool standby = target.type == TargetType::latest;
    sandbox.write_file(data / (standby ? "standby.signal" : "recovery.signal"), "");
    sandbox.write_file(
        data / "postgresql.auto.conf",
        "archive_mode = 'off'\nrecovery_target_timeline = '" + target.timeline + "'\n");
    if (on_progress) on_progress({.fraction = 1.0, .done = backup.size});
  }
  std::vector<std::string> archive_get(const Backup&, const Sandbox&, WalFetch) override {
    calls_.made("archive_get");
    return archive_get_words;
  }
  RepositoryAccess access() override { return {}; }
  Verification verify(const Backup&, std::stop_token stop) override {
    calls_.made("verify");
    refuse_when_stopped(stop);
    return {.ok = damaged.empty(), .problems = damaged, .output = damaged.empty() ? "ok" : "error"};
  }

 private:
  static void refuse_when_stopped(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  }

  CallRecord& calls_;
};

}  // namespace pgrehearse
