#include "harness/sandbox/shared/host_command.hpp"

#include <fmt/format.h>

#include <variant>

#include "harness/process/process_table.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

Command host_command(const HostDirectory& directory, const Command& command) {
  auto outside = command;
  const auto& paths = directory.paths();
  outside.account = directory.account();
  outside.environment[run_label] = directory.entry().run_id;
  outside.environment[root_label] = paths.root.string();
  outside.environment["TMPDIR"] = paths.temporary.string();
  outside.confine_writes_to = {paths.root, "/dev/null", "/dev/zero", "/dev/full", "/dev/tty"};
  return outside;
}

bool backup_tool_runs_outside(const SandboxSpec& spec) {
  const auto* container = std::get_if<ContainerOptions>(&spec.options);
  return spec.network_requirement && !(container != nullptr && container->repository_egress);
}

std::string backup_tool_place(const SandboxSpec& spec) {
  if (!backup_tool_runs_outside(spec)) return {};
  return fmt::format(", the backup tool runs on this host ({})", spec.network_requirement->reason);
}

}  // namespace pgrehearse
