// The laboratory: a throwaway primary that archives into its own repository, for the demo, the
// drill tests and `prove`. A drill uses it like any other primary and repository. It is registered
// like a sandbox, so that leftovers are removed in the same way.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/laboratory/laboratory_options.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class Laboratory {
 public:
  // Creates the directories, the cluster (superuser postgres) and the configurations, without
  // starting the server. On failure it removes everything and throws Error(environment).
  static std::unique_ptr<Laboratory> create(const LaboratoryOptions& options, CommandRunner& runner,
                                            const std::stop_token& stop);
  // Opens one that an earlier process kept; the destructor does not remove it. Throws
  // Error(environment).
  static std::unique_ptr<Laboratory> open(const std::filesystem::path& root, CommandRunner& runner);

  Laboratory(const Laboratory&) = delete;
  Laboratory& operator=(const Laboratory&) = delete;
  // Removes what create() made, unless keep() was called.
  ~Laboratory();

  void start(const std::stop_token& stop);
  // A fast shutdown; immediate if that takes over a minute.
  void stop(const std::stop_token& stop);

  // Prepares the repository for backups and WAL.
  void create_stanza(const std::stop_token& stop);
  // Takes a backup and returns its label. Only pgBackRest takes other than full backups. When
  // pg_basebackup cannot verify a page, the backup is taken again without that verification.
  std::string back_up(BackupType type, const std::stop_token& stop);
  // Why the newest backup could be taken only without the verification of pages; else empty.
  [[nodiscard]] const std::string& refused_backup() const { return refused_backup_; }
  // Rereads the configuration; the archiver uses it from the next segment on.
  // Throws Error(environment) after two minutes.
  void reload(const std::stop_token& stop);
  // Ends the current WAL segment and waits until it is in the repository; returns its name. Throws
  // Error(environment) after two minutes.
  std::string switch_wal_and_wait(const std::stop_token& stop);
  // pgBackRest with this laboratory's configuration. Throws Error(environment) when it fails.
  CommandResult run_pgbackrest(std::vector<std::string> arguments, const std::stop_token& stop);

  // As superuser.
  Connection connect(const std::string& database, const std::stop_token& stop) const;
  // Runs a script through psql, with psql variables. Throws Error(environment) with psql's error
  // output.
  void run_script(const std::string& name, std::string_view sql,
                  const std::map<std::string, std::string>& variables, const std::stop_token& stop);

  // For a role that may read everything and change nothing.
  [[nodiscard]] std::string dsn(const std::string& database) const;
  // Replaces @name@, @stanza@, @configuration@, @dsn@ and @account@.
  [[nodiscard]] std::string expand(std::string_view scenario_template,
                                   const std::string& name) const;
  // A scenario against this laboratory; `rest` is YAML for all keys that it does not set itself
  // (recover_to, objectives, checks, ...).
  [[nodiscard]] std::string scenario_text(const std::string& name, std::string_view rest) const;

  [[nodiscard]] const LaboratoryOptions& options() const { return options_; }
  [[nodiscard]] const LaboratoryPaths& paths() const { return paths_; }
  [[nodiscard]] RepositoryPlace place() const { return repository_place(options_, paths_); }
  [[nodiscard]] const Account& account() const { return account_; }
  // Absolute path of a PostgreSQL binary.
  [[nodiscard]] std::string program(std::string_view name) const;
  // The repository's files of one WAL segment; empty when it is not archived.
  [[nodiscard]] std::vector<std::filesystem::path> archived_files(const std::string& segment) const;
  // A command that runs as the laboratory's account, labeled with its id.
  [[nodiscard]] Command command(std::string program, std::vector<std::string> arguments) const;

  // Ends every process and removes every file, and verifies it; also for a kept laboratory.
  Removal destroy();
  // Prevents removal by the destructor.
  void keep();

 private:
  Laboratory(LaboratoryOptions options, CommandRunner& runner);

  void make_directories();
  void make_cluster(const std::stop_token& stop);
  void initialize_cluster(const std::stop_token& stop);
  void copy_seed(const std::filesystem::path& from, const std::filesystem::path& to,
                 const std::stop_token& stop);
  [[nodiscard]] RegistryEntry registry_entry() const;
  void make_repository_directories();
  [[nodiscard]] std::set<std::filesystem::path> list_backups() const;
  void take_base_backup(bool verify, const std::stop_token& stop);
  // Throws Error(environment) with the end of its output when it fails.
  CommandResult run_barman(const std::string& subcommand, const std::stop_token& stop);
  CommandResult run(const Command& command, const std::stop_token& stop);

  LaboratoryOptions options_;
  LaboratoryPaths paths_;
  Account account_;
  CommandRunner& runner_;
  std::filesystem::path binaries_;
  std::string refused_backup_;
  std::optional<OwnedEntry> owned_;  // set while the destructor must remove it
};

}  // namespace pgrehearse
