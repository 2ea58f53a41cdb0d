#include "harness/cli/wiring.hpp"

#include <fmt/format.h>

#include "checks/checks.hpp"
#include "checks/comparison/comparison_rules.hpp"
#include "checks/table.hpp"
#include "harness/kubernetes/kubernetes_provisioner.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/repository/pgbackrest/pgbackrest_repository.hpp"
#include "harness/sandbox/container/container_provisioner.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"
#include "harness/sandbox/vm/vm_provisioner.hpp"

namespace pgrehearse {

namespace {

std::unique_ptr<Provisioner> provisioner_for(const Scenario& scenario, CommandRecorder& commands,
                                             const std::filesystem::path& state) {
  const auto& type = scenario.sandbox.type;
  const auto record = [&commands](const Command& command, const CommandResult& result) {
    commands.record(command, result);
  };
  for (const auto kind : {EngineKind::docker, EngineKind::podman}) {
    if (type != name_of(kind)) continue;
    return std::make_unique<ContainerProvisioner>(kind, state, record);
  }
  if (type == "vm") return std::make_unique<VmProvisioner>(commands, state, record);
  if (type == "kubernetes") {
    return std::make_unique<KubernetesProvisioner>(commands, state, *scenario.kubernetes);
  }
  return std::make_unique<LocalProvisioner>(commands, state);
}

}  // namespace

Account working_account(const Scenario& scenario) {
  auto own = current_account();
  if (own.uid != 0) return own;
  return find_account(scenario.sandbox.account.empty() ? "postgres" : scenario.sandbox.account);
}

std::span<const CheckDescription> all_checks() { return check_table(); }

std::unique_ptr<CommandRunner> real_command_runner() {
  return std::make_unique<BoostCommandRunner>();
}

std::vector<std::unique_ptr<Provisioner>> all_provisioners(CommandRunner& runner,
                                                           const std::filesystem::path& state) {
  std::vector<std::unique_ptr<Provisioner>> provisioners;
  provisioners.push_back(std::make_unique<LocalProvisioner>(runner, state));
  for (const auto kind : {EngineKind::docker, EngineKind::podman}) {
    provisioners.push_back(std::make_unique<ContainerProvisioner>(kind, state));
  }
  provisioners.push_back(std::make_unique<VmProvisioner>(runner, state));
  provisioners.push_back(std::make_unique<KubernetesProvisioner>(runner, state));
  return provisioners;
}

ScenarioParts wire(const Scenario& scenario, const std::filesystem::path& state,
                   const std::string& run_id) {
  const auto account = working_account(scenario);
  ScenarioParts parts;
  parts.runner = real_command_runner();
  parts.commands = std::make_unique<CommandRecorder>(*parts.runner);
  parts.scratch = std::make_unique<ScratchDirectory>(state, run_id + "-repository", account);
  parts.provisioner = provisioner_for(scenario, *parts.commands, state);
  parts.repository = std::make_unique<PgBackRestRepository>(scenario.repository, *parts.commands,
                                                            account, parts.scratch->path());
  if (scenario.primary) parts.primary = std::make_unique<Primary>(*scenario.primary);
  return parts;
}

Preparation::Parts preparation_parts(const ScenarioParts& parts) {
  return {.repository = *parts.repository,
          .provisioner = *parts.provisioner,
          .primary = parts.primary.get()};
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
  return [&parts, budget](const std::vector<std::string>& databases, const std::stop_token& stop) {
    parts.snapshots =
        take_snapshots(*parts.primary, {.databases = databases, .budget = budget}, stop);
    return parts.snapshots.for_capture();
  };
}

}  // namespace pgrehearse
