// What the commands get from the one file that knows every concrete class.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/drill/check.hpp"
#include "harness/drill/command_recorder.hpp"
#include "harness/drill/drill_executor.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/history/ledger.hpp"
#include "harness/postgres/connection_parameters.hpp"
#include "harness/primary/fingerprint/capture.hpp"
#include "harness/primary/primary.hpp"
#include "harness/primary/snapshot/exact_snapshot.hpp"
#include "harness/sandbox/scratch_directory.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

// Every check that exists, in the order of reports.
std::span<const CheckDescription> all_checks();

// Throws ScenarioErrors, or Error(usage) if two of the scenarios have one name: their runs would be
// mixed.
std::vector<Scenario> load_scenarios(std::span<const std::filesystem::path> files,
                                     std::span<const std::string> overrides);

// The account that reads the repository and owns the sandbox. Throws Error(environment).
Account working_account(const Scenario& scenario);

// The one that really runs things.
std::unique_ptr<CommandRunner> real_command_runner();

// One for every kind of sandbox. `runner` outlives them.
std::vector<std::unique_ptr<LeftoverCleaner>> all_cleaners(CommandRunner& runner,
                                                           const std::filesystem::path& state);

// The concrete parts of one scenario; each outlives those below it.
struct ScenarioParts {
  std::unique_ptr<CommandRunner> runner;
  std::unique_ptr<CommandRecorder> commands;
  std::unique_ptr<ScratchDirectory> scratch;
  std::unique_ptr<Provisioner> provisioner;  // nullptr when drills do not run on this host
  std::unique_ptr<BackupRepository> repository;
  std::unique_ptr<Primary> primary;  // nullptr when the scenario names none
  HeldSnapshots snapshots;           // of a fingerprint for a file
  std::unique_ptr<DrillExecutor> executor;
};

// Whether the state directory has a ledger.
bool has_ledger(const std::filesystem::path& state);
// The ledger in PostgreSQL if there are parameters, else the one of the state directory. Creates
// it. Throws Error(environment).
Ledger open_ledger(const std::optional<ConnectionParameters>& postgres,
                   const std::filesystem::path& state, const std::stop_token& stop = {});

// What a preparation needs of them.
Preparation::Parts preparation_parts(const ScenarioParts& parts);

// `run_id` labels what the parts make. Throws Error(environment).
ScenarioParts wire(const Scenario& scenario, const std::filesystem::path& state,
                   const std::string& run_id);

// A copy in a local sandbox that an earlier process kept. `runner` outlives it. Throws
// Error(usage).
std::unique_ptr<Sandbox> open_copy(CommandRunner& runner, const std::filesystem::path& state,
                                   const SandboxSpec& spec, const std::string& run_id);

// A sandbox with the files of a local sandbox whose server is paused. Throws Error(environment).
std::unique_ptr<Sandbox> clone_copy(CommandRunner& runner, const std::filesystem::path& state,
                                    const Sandbox& original, const std::string& run_id);

// The check whose settings say how a primary is read.
const CheckDescription& comparison_description();
// From that check's settings. Throws Error(usage).
FingerprintRules fingerprint_rules(const Settings& settings);
// Where the snapshots of a fingerprint to a file come from; `parts` outlives them, and has no
// repository where there is no scenario.
FingerprintCapture::TakeSnapshots snapshots_for_file(ScenarioParts& parts,
                                                     const FingerprintBudget& budget);

}  // namespace pgrehearse
