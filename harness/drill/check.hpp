// One question about the instance. A check is a class in checks/ and a row in its table; it never
// decides for others, never writes outside the sandbox, and is `unknown` when it cannot tell.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/primary/primary.hpp"
#include "harness/primary/snapshot/commit_order.hpp"
#include "harness/report/report.hpp"
#include "harness/report/verdict.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/check_description.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// A WAL position on the way of recovery at which a check wants the instance to stand: paused there,
// read-only, and then going on.
struct Stop {
  Lsn lsn;
  bool exclusive = true;         // the record that begins there is not applied
  std::optional<Instant> taken;  // when the primary's WAL had got there
  auto operator<=>(const Stop&) const = default;
};

// Everything a check may look at. All references outlive the check.
struct CheckContext {
  const Scenario& scenario;
  const Backup& backup;
  const ArchiveListing& archive;
  // nullptr while no sandbox exists or the instance is not recovered (state `any`).
  Sandbox* sandbox = nullptr;
  const ControlData* control = nullptr;  // of the restored cluster after the restore
  const Landing* landing = nullptr;
  // The drill's view of what happened to recovery; see report.hpp. nullptr before the landing.
  BackupRepository& repository;
  Primary* primary = nullptr;  // nullptr when the scenario names none
  // What the primary was when the drill began; nullopt where it could not be asked.
  std::optional<PrimaryIdentity> primary_at_start = {};
  // Of the backup's archive, readable as soon as there is a sandbox; nullptr where nobody can.
  ReadCommits read_commits = {};
  // A new connection to a database of the instance (superuser, settings pinned); dbname empty:
  // "postgres", or template1 where that is missing.
  std::function<Connection(const std::string& database)> connect;
  std::vector<std::string> databases;  // those that allow connections, by name; empty in `any`
  // The instance's log so far, on the harness's side; empty in `any`.
  std::filesystem::path instance_log = {};
  // The relation that a file below PGDATA belongs to ("base/5/16384.1" -> "shop.sales.orders"),
  // from postgres/relation_files.hpp; empty until the instance was about to be stopped.
  std::function<std::optional<std::string>(const std::string& file)> relation_of_file = {};
  Instant drill_started;
  // Progress for long checks: done of total in the check's own unit ("tables").
  std::function<void(std::uint64_t done, std::uint64_t total, std::string_view unit)> on_progress;
  // For the check that compared with the primary: the report's `comparison`.
  std::function<void(ComparisonRecord comparison)> on_comparison = {};
  std::stop_token stop;
};

struct CheckOutcome {
  Verdict verdict = Verdict::unknown;
  std::vector<Finding> findings;
  std::string summary;  // one line: what was looked at, in numbers ("14 tables, 1,204,331 rows")
};

class Check {
 public:
  virtual ~Check() = default;
  // Called once before the restore starts (`sandbox` is nullptr) with a context that outlives the
  // check: starts what may run beside the restore, and returns at once.
  virtual void prepare(CheckContext& /*context*/) {}
  // Called once after the restore: where the check wants to stand. May wait until that is known.
  virtual std::vector<Stop> stops(CheckContext& /*context*/) { return {}; }
  // The instance stands at one of them; there is no landing yet. What it throws becomes the check's
  // outcome.
  virtual void at_stop(CheckContext& /*context*/, const Stop& /*stop*/) {}
  // This recovery does not come there.
  virtual void missed_stop(CheckContext& /*context*/, const Stop& /*stop*/,
                           const std::string& /*why*/) {}
  // May throw: the drill turns an exception into `unknown` with its message.
  virtual CheckOutcome run(CheckContext& context) = 0;
};

// The constructor of a check for its row of the table: from the settings, or without any.
template <typename T>
std::unique_ptr<Check> create(const Settings& settings) {
  if constexpr (std::is_constructible_v<T, const Settings&>) {
    return std::make_unique<T>(settings);
  } else {
    return std::make_unique<T>();
  }
}

// For the row of a check whose constructor refuses settings that do not go together.
template <typename T>
void validate(const Settings& settings) {
  static_cast<void>(T(settings));
}

}  // namespace pgrehearse
