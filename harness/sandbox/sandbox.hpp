// The disposable environment of one instance. Everything that a drill creates is below one root,
// carries one label, and is removed with the sandbox.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/sandbox/sandbox_spec.hpp"

namespace pgrehearse {

// Directories, by the paths used inside the sandbox. All exist once the sandbox is created, mode
// 0700, owned by the account that runs PostgreSQL; `data` is empty.
struct SandboxPaths {
  std::filesystem::path root;
  std::filesystem::path data;         // PGDATA
  std::filesystem::path tablespaces;  // outside PGDATA
  std::filesystem::path sockets;      // short enough for a unix socket
  std::filesystem::path logs;
  std::filesystem::path configuration;  // generated files: postgresql.conf, hba, wrapper
  std::filesystem::path wal;            // segments fetched for evidence
  std::filesystem::path pgbackrest;     // private lock, log and spool paths below it
  std::filesystem::path temporary;      // TMPDIR
};

// What was removed when the sandbox was destroyed, and what could not be.
struct Removal {
  std::vector<std::string> removed;    // one line each: "directory /...", "process 123 postgres"
  std::vector<std::string> remaining;  // found by a check after the removal; empty: nothing
  [[nodiscard]] bool complete() const { return remaining.empty(); }
};

// How the server is kept apart from this host.
struct IsolationMeans {
  std::vector<std::string> in_force;  // "network namespace"
  std::vector<std::string> missing;   // "network namespace (Operation not permitted)"
};

class Sandbox : public CommandRunner {
 public:
  // Destroys what has not been destroyed; never throws.
  ~Sandbox() override = default;

  // run(): inside the sandbox, as the account that owns it, labelled, with TMPDIR inside. The
  // command's own account is ignored.

  [[nodiscard]] virtual const SandboxPaths& paths() const = 0;
  // As requested, with the account and the directory of the PostgreSQL binaries filled in.
  [[nodiscard]] virtual const SandboxSpec& spec() const = 0;
  // Connection parameters of the instance for libpq on this host: host, port, user; no dbname.
  [[nodiscard]] virtual ConnectionParameters server() const = 0;
  // Absolute path inside the sandbox of a PostgreSQL binary ("pg_ctl").
  [[nodiscard]] virtual std::string program(std::string_view name) const = 0;
  [[nodiscard]] virtual Bytes memory() const = 0;
  [[nodiscard]] virtual int cpus() const = 0;
  // Free space in the file system of PGDATA.
  [[nodiscard]] virtual Bytes free_space() const = 0;
  // Bytes below `path` (restore progress); 0 if it does not exist.
  [[nodiscard]] virtual Bytes size_of(const std::filesystem::path& path) const = 0;

  // Reads from `offset` to the end. Empty if there is no such file.
  [[nodiscard]] virtual std::string read_file(const std::filesystem::path& path,
                                              std::uint64_t offset = 0) const = 0;
  // The same from the start, piece by piece: for large files.
  virtual void stream_file(const std::filesystem::path& path,
                           const std::function<void(std::string_view)>& take) const {
    take(read_file(path));
  }
  virtual void write_file(const std::filesystem::path& path, std::string_view content,
                          int mode = 0600) = 0;
  // Moves a file of another sandbox to `to`. False: it was not moved (another kind of sandbox or
  // file system, or no such file), and nothing has changed.
  virtual bool take_file(const Sandbox& /*other*/, const std::filesystem::path& /*file*/,
                         const std::filesystem::path& /*to*/) {
    return false;
  }

  // As run(), for a command of the backup tool that reads the repository. Where commands inside
  // cannot reach it, this one runs on this host, and the files that it writes are then inside.
  virtual CommandResult run_backup_tool(const Command& command, std::stop_token stop) {
    return run(command, std::move(stop));
  }

  [[nodiscard]] virtual IsolationMeans isolation() const { return {}; }
  // The command by which the server of the data directory `data` fetches WAL with `archive_get`;
  // both take a file's name and a destination. Where the server cannot read the repository, it asks
  // this process to fetch.
  virtual std::vector<std::string> fetch_command(std::vector<std::string> archive_get,
                                                 const std::filesystem::path& /*data*/) {
    return archive_get;
  }

  // Sends a signal to an isolated server, whose process ID pg_ctl does not know. False: pg_ctl can
  // do it, in run().
  virtual bool signal_server(int /*signal*/) { return false; }

  // Throws Error(environment) if the sandbox itself has failed (out of memory, container stopped):
  // a command that failed in it is then no evidence against the backup.
  virtual void require_sound(std::stop_token stop) = 0;
  // Copies the logs of PostgreSQL and pgBackRest and the generated configuration to a directory of
  // this host.
  virtual void collect_logs(const std::filesystem::path& into) = 0;
  // Ends every process of the drill, removes every file, and checks that nothing remains.
  virtual Removal destroy() = 0;
  // Keeps everything running after this object is destroyed; `clean` removes it only by name or
  // with --kept.
  virtual void keep() = 0;
};

// What a drill has created and not removed, or a kept sandbox.
struct Leftover {
  std::string run_id;
  std::string type;
  std::string scenario;
  std::filesystem::path root;
  bool kept = false;
  bool alive = false;                   // its drill is still running: never removed
  std::optional<Instant> expires = {};  // of a kept one; nullopt: never
};

// Whether `clean` removes it without being asked for it by name.
inline bool is_removable(const Leftover& leftover, Instant now) {
  return !leftover.alive && (!leftover.kept || (leftover.expires && *leftover.expires <= now));
}

// Lists and removes what killed drills have left of one kind of sandbox.
class LeftoverCleaner {
 public:
  virtual ~LeftoverCleaner() = default;
  [[nodiscard]] virtual std::vector<Leftover> list() const = 0;
  // Removes one that list() returned and that is not alive.
  virtual Removal remove(const Leftover& leftover) = 0;
};

class Provisioner : public LeftoverCleaner {
 public:
  // Describes what a sandbox would run with; creates nothing. Throws Error(environment).
  virtual std::string probe(const SandboxSpec& spec, std::stop_token stop) = 0;
  // Throws Error(environment) after removing what was already created.
  virtual std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) = 0;
};

}  // namespace pgrehearse
