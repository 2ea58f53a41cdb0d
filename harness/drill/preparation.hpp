// What must be known before anything is made: the tool, the repository, the backup, the WAL it
// needs, PostgreSQL's programs, the space, the primary. `run` does all steps and stops at the first
// that fails; `plan` shows the result; `doctor` goes on after a failure and tells every step's fix.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/primary/primary.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

class Preparation {
 public:
  // All references outlive the preparation. `primary` may be nullptr.
  struct Parts {
    BackupRepository& repository;
    Provisioner& provisioner;
    const Primary* primary = nullptr;
  };
  Preparation(const Scenario& scenario, const Parts& parts, std::filesystem::path state);

  struct Step {
    std::string_view name;      // "repository readable"
    bool needed_by_run = true;  // a drill goes on without the others
    // Returns what it found, in words; throws Error.
    std::string (Preparation::*take)(std::stop_token stop) = nullptr;
  };
  // In the order in which they depend on each other.
  static std::span<const Step> steps();
  // All that a drill needs. Throws the first step's Error.
  void take_all(std::stop_token stop);

  // Set by their steps.
  std::string tool_version;
  BackupList list;
  std::optional<BackupChoice> choice;
  std::string programs;  // where PostgreSQL's come from
  std::uint64_t segment_size = 0;
  ArchiveListing archive;
  std::optional<WalLineage> lineage;
  std::optional<PrimaryIdentity> primary_identity;

  // Space that the sandbox needs for the cluster and the WAL that is replayed at a time.
  [[nodiscard]] Bytes required_space() const;
  // The scenario's sandbox for the chosen backup; without the run id.
  [[nodiscard]] SandboxSpec sandbox_spec() const;

 private:
  std::string find_account_to_run_as(std::stop_token stop);
  std::string find_tool(std::stop_token stop);
  std::string read_repository(std::stop_token stop);
  std::string choose(std::stop_token stop);
  std::string find_programs(std::stop_token stop);
  std::string list_wal(std::stop_token stop);
  std::string compare_space(std::stop_token stop);
  std::string reach_primary(std::stop_token stop);
  [[nodiscard]] const Backup& backup() const;

  const Scenario& scenario_;
  BackupRepository& repository_;
  Provisioner& provisioner_;
  const Primary* primary_;
  std::filesystem::path state_;
};

}  // namespace pgrehearse
