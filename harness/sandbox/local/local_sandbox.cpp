#include "harness/sandbox/local/local_sandbox.hpp"

#include "harness/common/error.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

LocalSandbox::LocalSandbox(CommandRunner& runner, SandboxSpec spec, HostDirectory place)
    : runner_(runner),
      spec_(std::move(spec)),
      place_(std::move(place)),
      memory_kills_before_(memory_kills()) {}

LocalSandbox::~LocalSandbox() {
  if (destroyed_ || place_.entry().kept) return;
  try {
    LocalSandbox::destroy();
  } catch (...) {
    // The entry stays: `clean` and the next run find what is left.
  }
}

CommandResult LocalSandbox::run(const Command& command, std::stop_token stop) {
  // A dead server must not look alive to pg_ctl because we have not collected it yet.
  reap_adopted_children();
  auto inside = command;
  inside.account = place_.account();
  inside.environment[run_label] = spec_.run_id;
  inside.environment[root_label] = paths().root.string();
  inside.environment["TMPDIR"] = paths().temporary.string();
  inside.confine_writes_to = {paths().root, "/dev/null", "/dev/zero",
                              "/dev/full",  "/dev/tty",  "/dev/shm"};
  const auto& sockets = place_.entry().sockets;
  if (!sockets.empty()) inside.confine_writes_to.push_back(sockets);
  return runner_.run(inside, std::move(stop));
}

ConnectionParameters LocalSandbox::server() const { return server_in(paths(), spec_); }

std::string LocalSandbox::program(std::string_view name) const { return program_in(spec_, name); }

// In a pod, or a service with a limit, the server alone may be killed, and look like a bad backup.
void LocalSandbox::require_sound(std::stop_token /*stop*/) {
  if (memory_kills() <= memory_kills_before_) return;
  throw Error(ErrorKind::environment,
              "the kernel killed a process of the drill's control group for want of memory",
              "give the drill more memory: the pod's limit is sandbox.memory",
              FindingCode::env_memory, paths().root.string());
}

Removal LocalSandbox::destroy() {
  if (destroyed_) return removal_;
  removal_ = remove_local_sandbox(place_.entry());
  if (removal_.complete()) {
    place_.forget();
    destroyed_ = true;
  }
  return removal_;
}

}  // namespace pgrehearse
