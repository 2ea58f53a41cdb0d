#include "harness/sandbox/local_provisioner.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <random>

#include "harness/common/error.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/sandbox/acting_account.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/local_sandbox.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view type_name = "local";

// The account that owns the sandbox and runs PostgreSQL, which refuses root.
Account account_for(const SandboxSpec& spec) {
  auto own = current_account();
  if (own.uid != 0) {
    if (spec.account.empty() || spec.account == own.name) return own;
    throw Error(ErrorKind::environment,
                fmt::format("account '{}' may not run the sandbox as '{}'", own.name, spec.account),
                fmt::format("leave out sandbox.run_as, or start pgrehearse as root or as '{}'",
                            spec.account),
                "PGR-ENV-ACCOUNT", spec.account);
  }
  auto account = find_account(spec.account.empty() ? "postgres" : spec.account);
  if (account.uid == 0) {
    throw Error(ErrorKind::environment, "PostgreSQL refuses to run as root",
                "name another account with sandbox.run_as", "PGR-ENV-ACCOUNT", account.name);
  }
  return account;
}

void require_plain_run_id(const std::string& run_id) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const bool usable = !run_id.empty() && run_id.front() != '.' &&
                      run_id.find_first_not_of(plain) == std::string::npos;
  if (!usable) {
    throw Error(ErrorKind::internal, fmt::format("run id '{}' cannot name a directory", run_id));
  }
}

bool fits_a_socket(const fs::path& directory) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  return (directory / ".s.PGSQL.5432").native().size() <= longest;
}

fs::path short_socket_directory() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
  std::string name = "pgr-";
  for (int count = 0; count < 12; ++count) name += letters[pick(random)];
  return fs::path("/tmp") / name;
}

void refuse_existing(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(path, ignored))) return;
  throw Error(ErrorKind::environment, fmt::format("'{}' exists already", path.string()),
              "another drill of this run id was here: see pgrehearse clean", "PGR-ENV-DIRECTORY",
              path.string());
}

void make_directories(const RegistryEntry& entry, const Account& account) {
  make_private_directory(entry.root, account);
  if (!entry.sockets.empty()) make_private_directory(entry.sockets, account);
  const auto paths = LocalSandbox::layout(entry);
  std::vector<fs::path> inside{paths.data,
                               paths.tablespaces,
                               paths.logs,
                               paths.configuration,
                               paths.wal,
                               paths.pgbackrest,
                               paths.temporary,
                               paths.pgbackrest / "lock",
                               paths.pgbackrest / "log",
                               paths.pgbackrest / "spool"};
  if (entry.sockets.empty()) inside.push_back(paths.sockets);
  const ActingAccount acting(account);
  for (const auto& directory : inside) make_private_directory(directory, account);
}

}  // namespace

LocalProvisioner::LocalProvisioner(CommandRunner& runner, const fs::path& state)
    : runner_(runner), registry_(state) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

std::unique_ptr<Sandbox> LocalProvisioner::create(const SandboxSpec& spec, std::stop_token stop) {
  require_plain_run_id(spec.run_id);
  auto account = account_for(spec);
  auto resolved = spec;
  resolved.account = account.name;  // whom the quarantine lets in
  if (spec.postgres_major != 0) {
    resolved.binaries = find_binaries(spec.postgres_major, spec.binaries);
  }
  const auto base = spec.directory.empty() ? registry_.directory()
                                           : fs::absolute(spec.directory).lexically_normal();
  make_open_directories(base);
  require_reachable(fs::canonical(base), account);
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");

  RegistryEntry entry{.run_id = spec.run_id,
                      .type = std::string(type_name),
                      .scenario = spec.scenario,
                      .created = to_iso8601(std::chrono::system_clock::now()),
                      .host = host_name(),
                      .boot_id = boot_id(),
                      .account = account.name,
                      .root = fs::canonical(base) / spec.run_id};
  if (!fits_a_socket(LocalSandbox::layout(entry).sockets)) entry.sockets = short_socket_directory();
  refuse_existing(entry.root);
  // Registered and locked before there is anything to find.
  auto owned = registry_.publish(entry);
  auto sandbox = std::make_unique<LocalSandbox>(runner_, std::move(resolved), account,
                                                std::move(owned), entry);
  make_directories(entry, account);
  write_file_of(account, entry.root / "sandbox.json", to_json(entry), 0600);
  return sandbox;
}

std::vector<Leftover> LocalProvisioner::list() const {
  std::vector<Leftover> leftovers;
  for (auto& [entry, alive] : registry_.list()) {
    if (entry.type != type_name && entry.type != laboratory_type) continue;
    leftovers.push_back({.run_id = entry.run_id,
                         .type = entry.type,
                         .scenario = entry.scenario,
                         .root = entry.root,
                         .kept = entry.kept,
                         .alive = alive});
  }
  return leftovers;
}

Removal LocalProvisioner::remove(const Leftover& leftover) {
  auto owned = registry_.take(leftover.run_id);
  const auto entry = registry_.find(leftover.run_id);
  if (!owned || !entry) {
    // Gone meanwhile: somebody else has removed it.
    if (!entry) return {};
    throw Error(ErrorKind::environment,
                fmt::format("the drill '{}' is alive: its sandbox is not removed", leftover.run_id),
                "end the drill first", "PGR-ENV-SANDBOX-ALIVE", leftover.run_id);
  }
  auto removal = remove_local_sandbox(*entry);
  if (removal.complete()) owned->remove();
  return removal;
}

}  // namespace pgrehearse
