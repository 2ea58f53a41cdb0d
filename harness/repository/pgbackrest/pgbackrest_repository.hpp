// A pgBackRest repository. Every command has private lock, log and spool paths and a timeout; none
// writes to the repository.
#pragma once

#include <chrono>
#include <filesystem>

#include "harness/process/command_runner.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

enum class PgBackRestCommand;
struct ParsedArchive;

class PgBackRestRepository : public BackupRepository {
 public:
  // `runner` runs commands on this host, as `account`, and outlives this object. `directory`
  // exists, belongs to that account, and is for pgBackRest's lock, log and spool paths.
  PgBackRestRepository(RepositorySpec spec, CommandRunner& runner, Account account,
                       std::filesystem::path directory);

  std::string version(std::stop_token stop) override;
  BackupList list(std::stop_token stop) override;
  std::optional<std::uint64_t> wal_segment_size(const Backup& backup,
                                                std::stop_token stop) override;
  ArchiveListing list_archive(const Backup& backup, std::uint64_t segment_size,
                              std::stop_token stop) override;
  void restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
               const std::function<void(const RestoreProgress&)>& on_progress,
               std::stop_token stop) override;
  std::vector<std::string> archive_get(const Backup& backup, const Sandbox& sandbox,
                                       WalFetch fetch) override;
  RepositoryAccess access() override;
  Verification verify(const Backup& backup, std::stop_token stop) override;

 private:
  [[nodiscard]] Command command(PgBackRestCommand name, std::optional<int> key,
                                std::vector<std::string> arguments,
                                std::chrono::milliseconds deadline) const;
  // Standard output of a command that must succeed.
  std::string output_of(const Command& command, std::string_view attempt, std::stop_token stop);
  ParsedArchive read_archive(const Backup& backup, std::uint64_t segment_size,
                             std::stop_token stop);
  std::string info(std::optional<int> key, std::vector<std::string> options, std::stop_token stop);
  std::string info_of_all_stanzas(std::stop_token stop);
  [[noreturn]] void refuse_status(const RepositoryStatus& status, std::stop_token stop);
  // The damaged file, if the restore does not name it (a file that cannot be decoded).
  [[nodiscard]] std::string find_damaged_file(const Backup& backup, std::stop_token stop);

  RepositorySpec spec_;
  CommandRunner& runner_;
  Account account_;
  std::filesystem::path directory_;
};

}  // namespace pgrehearse
