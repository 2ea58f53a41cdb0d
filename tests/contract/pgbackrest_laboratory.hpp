// Real repositories for the contract of BackupRepository: a full, a differential and an incremental
// backup, two timelines and WAL after them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"

namespace pgrehearse {

class PgBackRestLaboratory {
 public:
  PgBackRestLaboratory(const std::filesystem::path& scratch, const std::string& id,
                       const std::string& passphrase);

  // A repository seen through `configuration`; the primary's own when empty.
  std::unique_ptr<BackupRepository> repository(std::filesystem::path configuration = {},
                                               std::string stanza = "demo");
  std::unique_ptr<Sandbox> sandbox(const std::string& run_id);

  // The configuration of a repository host whose restore section points outside the sandbox.
  std::filesystem::path write_hostile_configuration();
  // A configuration of a production host: the primary's own, followed by `more`, in which {} is the
  // directory of production's lock, log and spool paths. The directory is filled with files.
  std::filesystem::path write_production_configuration(const std::string& more);
  [[nodiscard]] std::filesystem::path production() const { return scratch_ / "production"; }
  // A copy of the repository to damage, and a configuration that names it.
  struct Copy {
    std::filesystem::path repository;
    std::filesystem::path configuration;
  };
  Copy copy_repository(const std::string& name);
  // Inverts one byte in the middle of the largest file below `directory`; returns the file.
  static std::filesystem::path flip_byte_below(const std::filesystem::path& directory);

  // Names, sizes and modification times of all files in the repository.
  [[nodiscard]] std::string listing() const;
  // The same of the directory production().
  [[nodiscard]] std::string listing_of_production() const;

  Laboratory& primary() { return *laboratory_; }
  [[nodiscard]] std::filesystem::path scratch() const { return scratch_; }
  BoostCommandRunner& runner() { return runner_; }

 private:
  void promote();

  std::filesystem::path scratch_;
  BoostCommandRunner runner_;
  LocalProvisioner provisioner_;
  std::unique_ptr<Laboratory> laboratory_;
};

}  // namespace pgrehearse
