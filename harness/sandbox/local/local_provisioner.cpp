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

std::unique_ptr<Sandbox> LocalProvisioner::open(const SandboxSpec& spec,
                                                const std::string& run_id) {
  const auto entry = registry_.find(run_id);
  auto directory =
      entry && entry->type == type_name ? HostDirectory::reopen(registry_, run_id) : std::nullopt;
  if (!directory) {
    throw Error(ErrorKind::usage, fmt::format("no copy '{}' in a local sandbox", run_id),
                "'pgrehearse copies' lists the copies on this host");
  }
  auto resolved = spec;
  resolved.run_id = run_id;
  resolved.type = type_name;
  resolved.account = entry->account;
  resolved.binaries = find_binaries(spec.postgres_major, spec.binaries);
  return std::make_unique<LocalSandbox>(runner_, std::move(resolved), std::move(*directory));
}

std::unique_ptr<Sandbox> LocalProvisioner::clone(const Sandbox& original,
                                                 const std::string& run_id) {
  auto spec = original.spec();
  spec.run_id = run_id;
  if (spec.directory.empty()) spec.directory = original.paths().root.parent_path();
  auto sandbox = create(spec, {});
  const auto run = [&](std::vector<std::string> words) {
    const auto result = sandbox->run({.program = words.front(),
                                      .arguments = {words.begin() + 1, words.end()},
                                      .timeout = std::chrono::hours(1)},
                                     {});
    if (result.succeeded()) return;
    throw Error(ErrorKind::environment,
                fmt::format("the copy cannot be cloned: {}", result.error_output.substr(0, 300)),
                "put sandboxes on a file system that can clone files (xfs or btrfs): --directory",
                FindingCode::env_file, original.paths().root);
  };
  const auto& from = original.paths();
  const auto& to = sandbox->paths();
  run({"rmdir", to.data, to.tablespaces});
  run({"cp", "-a", "--reflink=always", from.data, from.tablespaces, to.root});
  run({"rm", "-f", to.data / "postmaster.pid", to.data / "postmaster.opts"});
  // Tablespaces are links to directories of the sandbox.
  for (const auto& link : std::filesystem::directory_iterator(to.data / "pg_tblspc")) {
    const auto target = std::filesystem::read_symlink(link.path());
    run({"ln", "-sfn", to.tablespaces / target.filename(), link.path()});
  }
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
