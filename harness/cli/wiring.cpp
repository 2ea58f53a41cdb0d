#include "harness/cli/wiring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/comparison/comparison_rules.hpp"
#include "checks/table.hpp"
#include "harness/drill/in_process_executor.hpp"
#include "harness/history/postgres_database.hpp"
#include "harness/history/sqlite_database.hpp"
#include "harness/kubernetes/pod_executor.hpp"
#include "harness/kubernetes/pod_leftovers.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/repository/barman/barman_repository.hpp"
#include "harness/repository/basebackup/basebackup_repository.hpp"
#include "harness/repository/pgbackrest/pgbackrest_repository.hpp"
#include "harness/sandbox/container/container_provisioner.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"
#include "harness/sandbox/vm/vm_provisioner.hpp"
#include "harness/scenario/language/repository_kinds.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

// What sandboxes are created with.
struct SandboxParts {
  CommandRunner& runner;
  const std::filesystem::path& state;
  CommandObserver observer = {};
};

std::unique_ptr<Provisioner> make_local(const SandboxParts& parts) {
  return std::make_unique<LocalProvisioner>(parts.runner, parts.state);
}

template <EngineKind kind>
std::unique_ptr<Provisioner> make_container(const SandboxParts& parts) {
  return std::make_unique<ContainerProvisioner>(kind, parts.runner, parts.state, parts.observer);
}

std::unique_ptr<Provisioner> make_vm(const SandboxParts& parts) {
  return std::make_unique<VmProvisioner>(parts.runner, parts.state, parts.observer);
}

std::unique_ptr<LeftoverCleaner> make_pod_cleaner(const SandboxParts& parts) {
  return std::make_unique<PodLeftovers>(parts.runner, parts.state);
}

std::unique_ptr<DrillExecutor> run_in_this_process(const Scenario& scenario,
                                                   const ScenarioParts& parts,
                                                   const std::filesystem::path& state) {
  return std::make_unique<InProcessExecutor>(scenario, preparation_parts(parts), state);
}

std::unique_ptr<DrillExecutor> run_in_pod(const Scenario& scenario, const ScenarioParts& parts,
                                          const std::filesystem::path& state) {
  return std::make_unique<PodExecutor>(scenario, *parts.repository, *parts.commands, state);
}

// How each kind of harness/scenario/sandbox_kinds.hpp is created, cleaned up and run. A kind that
// does not run on this host has no provisioner; the others' provisioners are their cleaners.
struct SandboxRow {
  std::string_view type;
  std::unique_ptr<Provisioner> (*provisioner)(const SandboxParts&) = nullptr;
  std::unique_ptr<LeftoverCleaner> (*cleaner)(const SandboxParts&) = nullptr;
  std::unique_ptr<DrillExecutor> (*executor)(const Scenario&, const ScenarioParts&,
                                             const std::filesystem::path&) = run_in_this_process;
};

constexpr auto sandbox_rows = std::to_array<SandboxRow>({
    {.type = "local", .provisioner = make_local},
    {.type = "docker", .provisioner = make_container<EngineKind::docker>},
    {.type = "podman", .provisioner = make_container<EngineKind::podman>},
    {.type = "vm", .provisioner = make_vm},
    {.type = "kubernetes", .cleaner = make_pod_cleaner, .executor = run_in_pod},
});

constexpr bool rows_match_kinds() {
  if (sandbox_rows.size() != sandbox_kinds.size()) return false;
  for (std::size_t row = 0; row < sandbox_rows.size(); ++row) {
    if (sandbox_rows[row].type != sandbox_kinds[row].type) return false;
  }
  return true;
}
static_assert(rows_match_kinds(), "one row per kind, in the same order");

const SandboxRow& row_of(std::string_view type) {
  const auto& kind = sandbox_kind(type);
  return sandbox_rows.at(static_cast<std::size_t>(&kind - sandbox_kinds.data()));
}

// What repositories are opened with.
struct RepositoryParts {
  const RepositorySpec& spec;
  CommandRunner& runner;
  const Account& account;
  const std::filesystem::path& directory;  // for the tool's own files
};

std::unique_ptr<BackupRepository> open_pgbackrest(const RepositoryParts& parts) {
  return std::make_unique<PgBackRestRepository>(parts.spec, parts.runner, parts.account,
                                                parts.directory);
}

std::unique_ptr<BackupRepository> open_basebackup(const RepositoryParts& parts) {
  return std::make_unique<BaseBackupRepository>(parts.spec, parts.runner, parts.account);
}

std::unique_ptr<BackupRepository> open_barman(const RepositoryParts& parts) {
  return std::make_unique<BarmanRepository>(parts.spec, parts.runner, parts.account,
                                            parts.directory);
}

// How each kind of harness/scenario/language/repository_kinds.hpp is opened.
struct RepositoryRow {
  std::string_view type;
  std::unique_ptr<BackupRepository> (*open)(const RepositoryParts&) = nullptr;
};
constexpr auto repository_rows = std::to_array<RepositoryRow>({
    {.type = "pgbackrest", .open = open_pgbackrest},
    {.type = "basebackup", .open = open_basebackup},
    {.type = "barman", .open = open_barman},
});
constexpr bool rows_match_tools() {
  if (repository_rows.size() != repository_kinds.size()) return false;
  for (std::size_t row = 0; row < repository_rows.size(); ++row) {
    if (repository_rows[row].type != repository_kinds[row].type) return false;
  }
  return true;
}
static_assert(rows_match_tools(), "one row per tool, in the same order");

std::unique_ptr<BackupRepository> open_repository(const RepositoryParts& parts) {
  const auto* row = std::ranges::find(repository_rows, parts.spec.type, &RepositoryRow::type);
  if (row == repository_rows.end()) {
    throw Error(ErrorKind::internal, fmt::format("unknown repository type '{}'", parts.spec.type));
  }
  return row->open(parts);
}

}  // namespace

Account working_account(const Scenario& scenario) {
  auto own = current_account();
  if (own.uid != 0) return own;
  return find_account(scenario.sandbox.account.empty() ? "postgres" : scenario.sandbox.account);
}

std::span<const CheckDescription> all_checks() { return check_table(); }

std::vector<Scenario> load_scenarios(std::span<const std::filesystem::path> files,
                                     std::span<const std::string> overrides) {
  std::vector<Scenario> scenarios;
  for (const auto& file : files) {
    auto scenario = load_scenario(file, overrides, all_checks());
    const auto same = std::ranges::find(scenarios, scenario.name, &Scenario::name);
    if (same != scenarios.end()) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} and {} both define the scenario '{}'", same->file.string(),
                              scenario.file.string(), scenario.name),
                  "give each scenario its own `name`: its runs are stored under it");
    }
    scenarios.push_back(std::move(scenario));
  }
  return scenarios;
}

std::unique_ptr<CommandRunner> real_command_runner() {
  return std::make_unique<BoostCommandRunner>();
}

std::vector<std::unique_ptr<LeftoverCleaner>> all_cleaners(CommandRunner& runner,
                                                           const std::filesystem::path& state) {
  const SandboxParts parts{.runner = runner, .state = state};
  std::vector<std::unique_ptr<LeftoverCleaner>> cleaners;
  for (const auto& row : sandbox_rows) {
    if (row.provisioner != nullptr) {
      cleaners.push_back(row.provisioner(parts));
    } else {
      cleaners.push_back(row.cleaner(parts));
    }
  }
  return cleaners;
}

ScenarioParts wire(const Scenario& scenario, const std::filesystem::path& state,
                   const std::string& run_id) {
  const auto account = working_account(scenario);
  ScenarioParts parts;
  parts.runner = real_command_runner();
  parts.commands = std::make_unique<CommandRecorder>(*parts.runner);
  parts.scratch = std::make_unique<ScratchDirectory>(state, run_id + "-repository", account);
  const auto& row = row_of(scenario.sandbox.type);
  if (row.provisioner != nullptr) {
    const auto record = [commands = parts.commands.get()](const Command& command,
                                                          const CommandResult& result) {
      commands->record(command, result);
    };
    parts.provisioner =
        row.provisioner({.runner = *parts.commands, .state = state, .observer = record});
  }
  parts.repository = open_repository({.spec = scenario.repository,
                                      .runner = *parts.commands,
                                      .account = account,
                                      .directory = parts.scratch->path()});
  if (scenario.primary) parts.primary = std::make_unique<Primary>(*scenario.primary);
  parts.executor = row.executor(scenario, parts, state);
  return parts;
}

bool has_ledger(const std::filesystem::path& state) {
  std::error_code ignored;
  return std::filesystem::exists(SqliteDatabase::file_in(state), ignored);
}

Ledger open_ledger(const std::optional<ConnectionParameters>& postgres,
                   const std::filesystem::path& state, const std::stop_token& stop) {
  if (postgres) return Ledger(std::make_unique<PostgresDatabase>(*postgres, stop));
  return Ledger(std::make_unique<SqliteDatabase>(state));
}

Preparation::Parts preparation_parts(const ScenarioParts& parts) {
  return {.repository = *parts.repository,
          .provisioner = parts.provisioner.get(),
          .primary = parts.primary.get()};
}

std::unique_ptr<Sandbox> open_copy(CommandRunner& runner, const std::filesystem::path& state,
                                   const SandboxSpec& spec, const std::string& run_id) {
  return LocalProvisioner(runner, state).open(spec, run_id);
}

std::unique_ptr<Sandbox> clone_copy(CommandRunner& runner, const std::filesystem::path& state,
                                    const Sandbox& original, const std::string& run_id) {
  return LocalProvisioner(runner, state).clone(original, run_id);
}

const CheckDescription& comparison_description() {
  static const auto description = comparison_check();
  return description;
}

FingerprintRules fingerprint_rules(const Settings& settings) {
  return fingerprint_rules_of(comparison_rules_of(settings));
}

FingerprintCapture::TakeSnapshots snapshots_for_file(ScenarioParts& parts,
                                                     const FingerprintBudget& budget) {
  return [&parts, budget](const Primary& server, const std::vector<std::string>& databases,
                          const std::stop_token& stop) {
    parts.snapshots = take_snapshots(server, {.databases = databases, .budget = budget}, stop);
    return parts.snapshots.for_capture();
  };
}

}  // namespace pgrehearse
