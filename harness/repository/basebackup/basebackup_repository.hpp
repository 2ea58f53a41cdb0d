// Backups of pg_basebackup, in plain or tar format, and a WAL archive in a directory. Nothing is
// written to either.
#pragma once

#include <filesystem>

#include "harness/process/command_runner.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/basebackup/base_backups.hpp"

namespace pgrehearse {

class BaseBackupRepository : public BackupRepository {
 public:
  // `runner` runs commands on this host, as `account`, and outlives this object.
  BaseBackupRepository(RepositorySpec spec, CommandRunner& runner, Account account);

  std::string version(std::stop_token stop) override;
  BackupList list(std::stop_token stop) override;
  std::optional<std::uint64_t> wal_segment_size(const Backup& backup,
                                                std::stop_token stop) override;
  ArchiveListing list_archive(const Backup& backup, std::uint64_t segment_size,
                              std::stop_token stop) override;
  // Where the backup has a manifest, its checksums are verified in the restored files.
  void restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
               const std::function<void(const RestoreProgress&)>& on_progress,
               std::stop_token stop) override;
  std::vector<std::string> archive_get(const Backup& backup, const Sandbox& sandbox,
                                       WalFetch fetch) override;
  RepositoryAccess access() override;
  // By pg_verifybackup; a backup in tar format cannot be verified without restoring it.
  Verification verify(const Backup& backup, std::stop_token stop) override;

 private:
  [[nodiscard]] ArchiveFiles read_archive() const;
  [[nodiscard]] std::optional<WalPageHeader> header_of(const std::filesystem::path& segment,
                                                       std::stop_token stop);
  [[nodiscard]] std::string member_of(const std::filesystem::path& tar, const std::string& member,
                                      std::stop_token stop);
  [[nodiscard]] BaseBackupPlace place_of(const Backup& backup) const;

  RepositorySpec spec_;
  CommandRunner& runner_;
  Account account_;
};

}  // namespace pgrehearse
