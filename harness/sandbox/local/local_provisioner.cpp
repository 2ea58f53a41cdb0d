#include "harness/sandbox/local/local_provisioner.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include "harness/common/throw_if_stopped.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/local/local_sandbox.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view type_name = "local";

}  // namespace

LocalProvisioner::LocalProvisioner(CommandRunner& runner, const std::filesystem::path& state)
    : runner_(runner), registry_(state) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

std::string LocalProvisioner::probe(const SandboxSpec& spec, std::stop_token /*stop*/) {
  return find_binaries(spec.postgres_major, spec.binaries);
}

std::unique_ptr<Sandbox> LocalProvisioner::create(const SandboxSpec& spec, std::stop_token stop) {
  const auto account = sandbox_account(spec);
  auto resolved = spec;
  resolved.type = type_name;
  resolved.account = account.name;  // pg_hba.conf allows this account
  if (spec.postgres_major != 0) {
    resolved.binaries = find_binaries(spec.postgres_major, spec.binaries);
  }
  throw_if_stopped(stop);
  auto directory = HostDirectory::claim(registry_, resolved, account);
  auto sandbox = std::make_unique<LocalSandbox>(runner_, std::move(resolved), std::move(directory));
  sandbox->make();
  return sandbox;
}

std::vector<Leftover> LocalProvisioner::list() const {
  return registered_leftovers(registry_, {type_name, laboratory_type});
}

Removal LocalProvisioner::remove(const Leftover& leftover) {
  return remove_registered(registry_, leftover,
                           [](const RegistryEntry& entry) { return remove_local_sandbox(entry); })
      .value_or(Removal{});
}

}  // namespace pgrehearse
