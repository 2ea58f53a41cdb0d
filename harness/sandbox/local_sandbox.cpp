#include "harness/sandbox/local_sandbox.hpp"

#include <sys/statvfs.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/sandbox/host_resources.hpp"
#include "harness/sandbox/process_table.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

LocalSandbox::LocalSandbox(CommandRunner& runner, SandboxSpec spec, Account account,
                           OwnedEntry owned, RegistryEntry entry)
    : runner_(runner),
      spec_(std::move(spec)),
      account_(std::move(account)),
      owned_(std::move(owned)),
      entry_(std::move(entry)),
      paths_(layout(entry_)) {}

LocalSandbox::~LocalSandbox() {
  if (destroyed_ || entry_.kept) return;
  try {
    LocalSandbox::destroy();
  } catch (...) {
    // The entry stays: `clean` and the next run find what is left.
  }
}

SandboxPaths LocalSandbox::layout(const RegistryEntry& entry) {
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

CommandResult LocalSandbox::run(const Command& command, std::stop_token stop) {
  // A dead server must not look alive to pg_ctl because we have not collected it yet.
  reap_adopted_children();
  auto inside = command;
  inside.account = account_;
  inside.environment[run_label] = spec_.run_id;
  inside.environment[root_label] = paths_.root.string();
  inside.environment["TMPDIR"] = paths_.temporary.string();
  inside.confine_writes_to = {paths_.root, "/dev/null", "/dev/zero",
                              "/dev/full", "/dev/tty",  "/dev/shm"};
  if (!entry_.sockets.empty()) inside.confine_writes_to.push_back(entry_.sockets);
  return runner_.run(inside, std::move(stop));
}

ConnectionParameters LocalSandbox::server() const {
  return {{"host", paths_.sockets.string()}, {"port", "5432"}, {"user", spec_.superuser}};
}

std::string LocalSandbox::program(std::string_view name) const {
  if (!spec_.binaries) throw Error(ErrorKind::internal, "the sandbox knows no PostgreSQL version");
  return (*spec_.binaries / name).string();
}

Bytes LocalSandbox::memory() const {
  constexpr std::uint64_t share = 4;
  return spec_.memory.value_or(Bytes{host_memory().count / share});
}

int LocalSandbox::cpus() const {
  const int available = host_cpus();
  return spec_.cpus > 0 ? std::min(spec_.cpus, available) : available;
}

Bytes LocalSandbox::free_space() const {
  struct statvfs status {};
  if (statvfs(paths_.root.c_str(), &status) != 0) return {};
  // What is left for accounts other than root.
  return {std::uint64_t{status.f_bavail} * status.f_frsize};
}

Bytes LocalSandbox::size_of(const fs::path& path) const { return bytes_below(path); }

std::string LocalSandbox::read_file(const fs::path& path, std::uint64_t offset) const {
  return read_file_of(account_, path, offset);
}

void LocalSandbox::write_file(const fs::path& path, std::string_view content, int mode) {
  write_file_of(account_, path, content, mode);
}

void LocalSandbox::collect_logs(const fs::path& into) {
  copy_files_of(account_, paths_.logs, into / "postgres");
  copy_files_of(account_, paths_.pgbackrest / "log", into / "pgbackrest");
  copy_files_of(account_, paths_.configuration, into / "configuration");
}

Removal LocalSandbox::destroy() {
  if (destroyed_) return removal_;
  removal_ = remove_local_sandbox(entry_);
  if (removal_.complete()) {
    owned_.remove();
    destroyed_ = true;
  }
  return removal_;
}

void LocalSandbox::keep() {
  entry_.kept = true;
  owned_.write(entry_);
  write_file(entry_.root / "sandbox.json", to_json(entry_));
}

}  // namespace pgrehearse
