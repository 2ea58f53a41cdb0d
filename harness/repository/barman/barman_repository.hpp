// A server of Barman whose files are on this host. Every command has a configuration of its own,
// which names no PostgreSQL server; none writes to Barman's directories.
#pragma once

#include <filesystem>
#include <optional>

#include "harness/process/command_runner.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/barman/barman_configuration.hpp"
#include "harness/repository/basebackup/archive_directory.hpp"

namespace pgrehearse {

struct BarmanBackup;

class BarmanRepository : public BackupRepository {
 public:
  // `runner` runs commands on this host, as `account`, and outlives this object. `directory`
  // exists, belongs to that account, and is for the configuration and Barman's locks.
  BarmanRepository(RepositorySpec spec, CommandRunner& runner, Account account,
                   std::filesystem::path directory);

  std::string version(std::stop_token stop) override;
  BackupList list(std::stop_token stop) override;
  std::optional<std::uint64_t> wal_segment_size(const Backup& backup,
                                                std::stop_token stop) override;
  ArchiveListing list_archive(const Backup& backup, std::uint64_t segment_size,
                              std::stop_token stop) override;
  // `barman recover`; where the backup has a manifest, its checksums are verified afterwards.
  void restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
               const std::function<void(const RestoreProgress&)>& on_progress,
               std::stop_token stop) override;
  std::vector<std::string> archive_get(const Backup& backup, const Sandbox& sandbox,
                                       WalFetch fetch) override;
  RepositoryAccess access() override;
  // By `barman verify-backup`, which needs the manifest of a backup with backup_method = postgres.
  Verification verify(const Backup& backup, std::stop_token stop) override;

 private:
  // Reads the configuration once, and writes the drill's own.
  const BarmanConfiguration& configuration();
  [[nodiscard]] std::filesystem::path own_file() const { return directory_ / "barman.conf"; }
  [[nodiscard]] Command command(std::vector<std::string> arguments,
                                std::chrono::milliseconds deadline) const;
  BarmanBackup read_backup(const std::string& id);
  // Throw Error(repository) and Error(restore) when files of a backup are missing.
  void require_metadata(const std::string& newest_listed);
  void require_data(const Backup& backup);
  ArchiveFiles list_files(std::uint64_t segment_size);

  RepositorySpec spec_;
  CommandRunner& runner_;
  Account account_;
  std::filesystem::path directory_;
  std::optional<BarmanConfiguration> configuration_;
};

}  // namespace pgrehearse
