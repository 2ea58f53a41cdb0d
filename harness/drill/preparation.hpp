// What must be known before anything is created: the backup tool, the repository, the backup, the
// WAL it needs, the PostgreSQL binaries, the disk space, the primary. A scenario that cannot be
// right is an Error(usage). `run` stops at the first step that fails; `plan` shows the results;
// `doctor` continues after a failure and shows every fix.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/primary/primary.hpp"
#include "harness/primary/primary_state.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/repository/wal_lineage.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

class Preparation {
 public:
  // All outlive the preparation.
  struct Parts {
    BackupRepository& repository;
    // nullptr: the drill runs elsewhere; binaries and disk space are not checked.
    Provisioner* provisioner = nullptr;
    const Primary* primary = nullptr;  // nullptr: the scenario names none
  };
  Preparation(const Scenario& scenario, const Parts& parts, std::filesystem::path state);

  struct Step {
    std::string_view name;      // "repository readable"
    std::string_view needs;     // the step whose result it uses; empty: none
    bool needed_by_run = true;  // a drill goes on without the others
    // Returns what was found as text. Throws Error.
    std::string (Preparation::*take)(std::stop_token stop) = nullptr;
  };
  // In order: each step uses the results of those before it.
  static std::span<const Step> steps();
  // Takes all steps. Throws the Error of the first needed step that fails.
  void take_all(std::stop_token stop);

  // The backup precedes these targets too.
  std::vector<RecoveryTarget> other_targets;

  // Set by the steps.
  RecoveryTarget target;              // of the scenario; a random one is chosen
  std::optional<std::uint64_t> seed;  // if something was chosen at random
  std::string tool_version;
  BackupList list;
  std::optional<BackupChoice> choice;
  std::string programs;  // where the PostgreSQL binaries come from
  std::uint64_t segment_size = 0;
  ArchiveListing archive;
  std::optional<WalLineage> lineage;
  std::optional<PrimaryIdentity> primary_identity;
  std::optional<PrimaryState> primary_state;

  // Why recovery cannot replay everything that the chosen backup needs and the archive should have;
  // nullopt: it can, or the archive has not been listed.
  [[nodiscard]] std::optional<std::string> wal_problem() const;
  // Disk space for the cluster and for the WAL kept during replay.
  [[nodiscard]] Bytes required_space() const;
  // The scenario's sandbox for the chosen backup; without the run id.
  [[nodiscard]] SandboxSpec sandbox_spec() const;

 private:
  std::string find_account_to_run_as(std::stop_token stop);
  std::string find_tool(std::stop_token stop);
  std::string read_repository(std::stop_token stop);
  void require_configuration() const;
  std::uint64_t find_segment_size(const Backup& backup, const std::stop_token& stop);
  std::string choose(std::stop_token stop);
  void choose_target(const RepositorySpec& spec, const std::stop_token& stop);
  std::string find_programs(std::stop_token stop);
  std::string list_wal(std::stop_token stop);
  std::string require_continuous_wal(std::stop_token stop);
  std::string compare_space(std::stop_token stop);
  std::string reach_primary(std::stop_token stop);
  [[nodiscard]] const Backup& backup() const;

  const Scenario& scenario_;
  BackupRepository& repository_;
  Provisioner* provisioner_;
  const Primary* primary_;
  std::filesystem::path state_;
};

}  // namespace pgrehearse
