#include "harness/sandbox/host_directory.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

void require_plain_run_id(const std::string& run_id) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const bool usable = !run_id.empty() && run_id.front() != '.' &&
                      run_id.find_first_not_of(plain) == std::string::npos;
  if (!usable) {
    throw Error(ErrorKind::internal,
                fmt::format("run id '{}' is not a valid directory name", run_id));
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
  throw Error(ErrorKind::environment, fmt::format("'{}' already exists", path.string()),
              "run 'pgrehearse clean' to remove the leftovers of earlier drills",
              FindingCode::env_directory, path.string());
}

}  // namespace

Account sandbox_account(const SandboxSpec& spec) {
  auto own = current_account();
  if (own.uid != 0) {
    if (spec.account.empty() || spec.account == own.name) return own;
    throw Error(
        ErrorKind::environment,
        fmt::format("account '{}' is not permitted to run the sandbox as '{}'", own.name,
                    spec.account),
        fmt::format("remove sandbox.run_as, or run pgrehearse as root or as '{}'", spec.account),
        FindingCode::env_account, spec.account);
  }
  auto account = find_account(spec.account.empty() ? "postgres" : spec.account);
  if (account.uid == 0) {
    throw Error(ErrorKind::environment, "PostgreSQL refuses to run as root",
                "set sandbox.run_as to another account", FindingCode::env_account, account.name);
  }
  return account;
}

SandboxPaths layout(const RegistryEntry& entry) {
  const auto& root = entry.root;
  return {.root = root,
          .data = root / "data",
          .tablespaces = root / "tablespaces",
          .sockets = entry.sockets.empty() ? root / "s" : entry.sockets,
          .logs = root / "logs",
          .configuration = root / "configuration",
          .wal = root / "wal",
          .pgbackrest = root / "pgbackrest",
          .temporary = root / "temporary"};
}

HostDirectory::HostDirectory(Account account, OwnedEntry owned, RegistryEntry entry)
    : account_(std::move(account)),
      owned_(std::move(owned)),
      entry_(std::move(entry)),
      paths_(layout(entry_)) {}

HostDirectory HostDirectory::claim(const Registry& registry, const SandboxSpec& spec,
                                   const Account& account, std::string_view engine) {
  require_plain_run_id(spec.run_id);
  const auto base = spec.directory.empty() ? registry.directory()
                                           : fs::absolute(spec.directory).lexically_normal();
  make_open_directories(base);
  require_reachable(fs::canonical(base), account);
  RegistryEntry entry{.run_id = spec.run_id,
                      .type = spec.type,
                      .scenario = spec.scenario,
                      .created = to_iso8601(std::chrono::system_clock::now()),
                      .host = host_name(),
                      .boot_id = boot_id(),
                      .account = account.name,
                      .engine = std::string(engine),
                      .root = fs::canonical(base) / spec.run_id};
  if (!fits_a_socket(layout(entry).sockets)) entry.sockets = short_socket_directory();
  refuse_existing(entry.root);
  auto owned = registry.publish(entry);
  HostDirectory directory(account, std::move(owned), std::move(entry));
  directory.keep_for_ = spec.keep_for;
  return directory;
}

std::optional<HostDirectory> HostDirectory::reopen(const Registry& registry,
                                                   const std::string& run_id) {
  auto taken = take_leftover(registry, run_id);
  if (!taken || !taken->entry.kept) return {};
  const auto account = find_account(taken->entry.account);
  return HostDirectory(account, std::move(taken->owned), std::move(taken->entry));
}

void HostDirectory::make_root() const {
  make_private_directory(entry_.root, account_);
  if (!entry_.sockets.empty()) make_private_directory(entry_.sockets, account_);
  write_file(entry_.root / "sandbox.json", to_json(entry_), 0600);
}

void HostDirectory::make_directories() const {
  make_root();
  std::vector<fs::path> inside{paths_.data,
                               paths_.tablespaces,
                               paths_.logs,
                               paths_.configuration,
                               paths_.wal,
                               paths_.pgbackrest,
                               paths_.temporary,
                               paths_.pgbackrest / "lock",
                               paths_.pgbackrest / "log",
                               paths_.pgbackrest / "spool"};
  if (entry_.sockets.empty()) inside.push_back(paths_.sockets);
  const ActingAccount acting(account_);
  for (const auto& directory : inside) make_private_directory(directory, account_);
}

Bytes HostDirectory::free_space() const {
  struct statvfs status {};
  if (statvfs(paths_.root.c_str(), &status) != 0) return {};
  // What is left for accounts other than root.
  return {std::uint64_t{status.f_bavail} * status.f_frsize};
}

Bytes HostDirectory::size_of(const fs::path& path) const { return bytes_below(path); }

std::string HostDirectory::read_file(const fs::path& path, std::uint64_t offset) const {
  return read_file_of(account_, path, offset);
}

void HostDirectory::write_file(const fs::path& path, std::string_view content, int mode) const {
  write_file_of(account_, path, content, mode);
}

void HostDirectory::collect_logs(const fs::path& into) const {
  copy_files_of(account_, paths_.logs, into / "postgres");
  copy_files_of(account_, paths_.pgbackrest / "log", into / "pgbackrest");
  copy_files_of(account_, paths_.configuration, into / "configuration");
}

void HostDirectory::keep() {
  entry_.kept = true;
  if (keep_for_) entry_.expires = to_iso8601(std::chrono::system_clock::now() + *keep_for_);
  owned_.write(entry_);
  write_file(entry_.root / "sandbox.json", to_json(entry_), 0600);
}

std::map<std::string, std::string> environment_inside(const HostDirectory& directory,
                                                      const Command& command,
                                                      bool backup_tool_inside) {
  const auto temporary = directory.paths().temporary.string();
  auto environment = command.environment;
  environment[run_label] = directory.entry().run_id;
  environment[root_label] = directory.paths().root.string();
  environment["TMPDIR"] = temporary;
  // What the command says itself stays.
  if (backup_tool_inside) environment.merge(pgbackrest_variables());
  environment.merge(std::map<std::string, std::string>{{"LANG", "C.UTF-8"},
                                                       {"LC_ALL", "C.UTF-8"},
                                                       {"TZ", "UTC"},
                                                       {"HOME", temporary},
                                                       {"USER", directory.account().name},
                                                       {"LOGNAME", directory.account().name}});
  return environment;
}

std::vector<Leftover> registered_leftovers(const Registry& registry,
                                           const std::vector<std::string_view>& types) {
  std::vector<Leftover> leftovers;
  for (const auto& [entry, alive] : registry.list()) {
    if (std::find(types.begin(), types.end(), entry.type) == types.end()) continue;
    leftovers.push_back({.run_id = entry.run_id,
                         .type = entry.type,
                         .scenario = entry.scenario,
                         .root = entry.root,
                         .kept = entry.kept,
                         .alive = alive,
                         .expires = parse_instant(entry.expires)});
  }
  return leftovers;
}

std::optional<TakenLeftover> take_leftover(const Registry& registry, const std::string& run_id) {
  auto owned = registry.take(run_id);
  auto entry = registry.find(run_id);
  if (!entry) return {};
  if (!owned) {
    throw Error(ErrorKind::environment,
                fmt::format("drill '{}' is still running: its sandbox was not removed", run_id),
                "stop the drill first", FindingCode::env_sandbox_in_use, run_id);
  }
  return TakenLeftover{.owned = std::move(*owned), .entry = std::move(*entry)};
}

std::optional<Removal> remove_registered(
    const Registry& registry, const Leftover& leftover,
    const std::function<Removal(const RegistryEntry& entry)>& remove) {
  auto taken = take_leftover(registry, leftover.run_id);
  if (!taken) return {};
  auto removal = remove(taken->entry);
  if (removal.complete()) taken->owned.remove();
  return removal;
}

Bytes memory_for(const SandboxSpec& spec) {
  constexpr std::uint64_t share = 4;
  return spec.memory.value_or(Bytes{host_memory().count / share});
}

int cpus_for(const SandboxSpec& spec) {
  const int available = host_cpus();
  return spec.cpus > 0 ? std::min(spec.cpus, available) : available;
}

}  // namespace pgrehearse
