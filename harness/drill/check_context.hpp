// What a check may look at: one type per state of the instance, so that a check that needs no
// instance cannot use one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/drill/objectives/data_loss.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/primary/primary.hpp"
#include "harness/primary/snapshot/commit_order.hpp"
#include "harness/report/report.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/check_description.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// In every state. All references outlive the check.
struct RepositoryContext {
  const Scenario& scenario;
  const Backup& backup;
  const ArchiveListing& archive;
  BackupRepository& repository;
  Primary* primary = nullptr;  // nullptr when the scenario names none
  // Read when the drill started; nullopt when the primary could not be reached.
  std::optional<PrimaryIdentity> primary_at_start = {};
  Instant drill_started;
  // Progress of long checks, in the check's own unit ("tables"); may be empty.
  std::function<void(std::uint64_t done, std::uint64_t total, std::string_view unit)> on_progress;
  std::stop_token stop;

  static bool covers(InstanceState state) { return state == InstanceState::any; }
};

// Before the restore. Outlives the check.
struct RestoreContext : RepositoryContext {
  ReadCommits read_commits;  // from the WAL archive
};

// A running, read-only instance, paused at a pause point.
struct InstanceContext : RepositoryContext {
  Sandbox& sandbox;
  const ControlData& control;  // of the restored cluster
  // Opens a connection as superuser with pinned settings. Without a database: "postgres", or
  // template1 where that is missing.
  std::function<Connection(const std::string& database)> connect;
  std::vector<std::string> databases;  // those that allow connections, by name
  std::filesystem::path log;           // PostgreSQL's log so far, on this host
  bool log_complete = true;            // false: not all of it could be written
  // The drill's own session, for short queries at a pause point. Checks may run at the same time:
  // they connect.
  std::function<Connection&()> session = {};
};

// The instance at the recovery target: paused, or promoted.
struct LandedContext : InstanceContext {
  const Landing& landing;
  const DataLoss& loss;

  static bool covers(InstanceState state) {
    return state == InstanceState::paused || state == InstanceState::read_write;
  }
};

// After a clean shutdown.
struct StoppedContext : RepositoryContext {
  Sandbox& sandbox;
  const ControlData& control;
  // The relation of a file below PGDATA ("base/5/16384.1": "shop.sales.orders").
  std::function<std::optional<std::string>(const std::string& file)> relation_of_file;

  static bool covers(InstanceState state) { return state == InstanceState::stopped; }
};

using CheckContext = std::variant<RepositoryContext, LandedContext, StoppedContext>;

}  // namespace pgrehearse
