#include "harness/sandbox/vm/vm_provisioner.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/shared/host_command.hpp"
#include "harness/sandbox/vm/vm_host.hpp"
#include "harness/sandbox/vm/vm_image.hpp"
#include "harness/sandbox/vm/vm_request.hpp"
#include "harness/sandbox/vm/vm_sandbox.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view type_name = "vm";

void require_disk_space(const SandboxSpec& spec) {
  const auto disk = vm_disk_size(spec);
  if (disk >= spec.needed) return;
  throw Error(ErrorKind::environment,
              fmt::format("the machine's disk of {} is too small: the drill needs {}",
                          to_text(disk), to_text(spec.needed)),
              "raise or remove sandbox.disk", FindingCode::env_disk_full, "sandbox.disk");
}

std::string ask_for_version(CommandRunner& host, const std::string& program,
                            const std::string& option, const std::stop_token& stop) {
  try {
    return host
        .run({.program = program,
              .arguments = {option},
              .environment = {{"PATH", path_for_host_programs()}}},
             stop)
        .output;
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(),
                "install QEMU and e2fsprogs; on Debian: apt-get install --no-install-recommends "
                "qemu-system-x86 e2fsprogs",
                error.code(), error.object());
  }
}

}  // namespace

VmProvisioner::VmProvisioner(CommandRunner& host, const std::filesystem::path& state,
                             CommandObserver observer)
    : host_(host), state_(state), registry_(state), observer_(std::move(observer)) {}

std::string VmProvisioner::probe(const SandboxSpec& spec, std::stop_token stop) {
  require_disk_space(spec);
  const auto image = find_vm_image(spec, state_);
  ask_for_version(host_, "mke2fs", "-V", stop);
  const auto version = ask_for_version(host_, "qemu-system-x86_64", "--version", stop);
  const auto lines = lines_of(version);
  return fmt::format("{}, image {} ({}){}", lines.empty() ? "QEMU" : lines.front(),
                     image.directory.string(), image.checksum, backup_tool_place(spec));
}

std::unique_ptr<Sandbox> VmProvisioner::create(const SandboxSpec& spec, std::stop_token stop) {
  require_disk_space(spec);
  const auto account = sandbox_account(spec);
  auto resolved = spec;
  resolved.type = type_name;
  resolved.account = account.name;
  auto image = find_vm_image(spec, state_);
  require_reachable(image.directory, account);
  verify_vm_image(image, stop);
  throw_if_stopped(stop);
  auto directory = HostDirectory::claim(registry_, resolved, account);
  auto sandbox = std::make_unique<VmSandbox>(host_, std::move(resolved), std::move(directory),
                                             std::move(image), observer_);
  sandbox->make(stop);
  return sandbox;
}

std::vector<Leftover> VmProvisioner::list() const {
  return registered_leftovers(registry_, {type_name});
}

Removal VmProvisioner::remove(const Leftover& leftover) {
  return remove_registered(registry_, leftover,
                           [](const RegistryEntry& entry) { return remove_local_sandbox(entry); })
      .value_or(Removal{});
}

}  // namespace pgrehearse
