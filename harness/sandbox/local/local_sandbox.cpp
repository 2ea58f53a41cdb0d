#include "harness/sandbox/local/local_sandbox.hpp"

#include "harness/common/error.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

LocalSandbox::LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory directory)
    : HostedSandbox(std::move(spec), std::move(directory)),
      runner_(runner),
      memory_kills_before_(memory_kills()) {}

CommandResult LocalSandbox::run(const Command& command, std::stop_token stop) {
  // Until it is reaped, a server that has ended looks alive to pg_ctl.
  reap_adopted_children();
  auto inside = command;
  inside.account = directory().account();
  inside.environment[run_label] = spec().run_id;
  inside.environment[root_label] = paths().root.string();
  inside.environment["TMPDIR"] = paths().temporary.string();
  inside.confine_writes_to = {paths().root, "/dev/null", "/dev/zero",
                              "/dev/full",  "/dev/tty",  "/dev/shm"};
  const auto& sockets = directory().entry().sockets;
  if (!sockets.empty()) inside.confine_writes_to.push_back(sockets);
  return runner_.run(inside, std::move(stop));
}

// In a pod or a service with a memory limit the kernel may kill the server only, which looks like a
// bad backup.
void LocalSandbox::require_sound(std::stop_token /*stop*/) {
  if (memory_kills() <= memory_kills_before_) return;
  throw Error(ErrorKind::environment,
              "the kernel killed a process of the drill: out of memory in its control group",
              "raise the memory limit; the limit of a pod is sandbox.memory",
              FindingCode::env_memory, paths().root.string());
}

}  // namespace pgrehearse
