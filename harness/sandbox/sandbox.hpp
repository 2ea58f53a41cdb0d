// The disposable place where the instance lives. Everything of one drill is below one root, carries
// one label, and goes when the sandbox goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Directories as processes inside the sandbox see them. All exist, owned by the account that runs
// PostgreSQL, mode 0700, once the sandbox is created; `data` is empty.
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
  std::vector<std::string> remaining;  // proven by looking again afterwards; empty when all is gone
  [[nodiscard]] bool complete() const { return remaining.empty(); }
};

struct NetworkEndpoint {
  std::string host;  // a name, or an IPv4 address
  int port = 0;
};

struct SandboxSpec {
  std::string run_id;                  // label of everything that the drill makes
  std::string scenario;                // for people who meet a leftover
  std::string type;                    // "local", "docker", "podman", "vm"
  std::filesystem::path directory;     // where sandboxes are made; empty: <state>/sandboxes
  std::string account;                 // run_as; empty: postgres for root, else the current account
  std::optional<Bytes> memory;         // empty: a quarter of the host's
  int cpus = 0;                        // 0: all of the host's
  std::string superuser = "postgres";  // the restored cluster's superuser role
  std::optional<std::filesystem::path> binaries;  // stated directory of PostgreSQL's programs
  int postgres_major = 0;
  Bytes needed;  // what the restored cluster and its WAL take
  // Containers: its name, empty: pgrehearse:<postgres_major>. Virtual machines: its directory,
  // empty: <state>/vm/<postgres_major>.
  std::string image;
  // Containers only.
  std::string engine;  // "unix:///run/docker.sock"; empty: as the engine's own client finds it
  // Virtual machines only.
  std::string checksum;     // "sha256:...", of the image; empty: none is pinned
  std::string accelerator;  // "kvm", "tcg"; empty: KVM where a guest boots with it
  std::chrono::milliseconds boot_timeout{std::chrono::minutes(3)};
  std::optional<Bytes> disk;  // empty: from `needed`
  // Both.
  // What is shown inside read-only at the same place: the repository and its configuration.
  std::vector<std::filesystem::path> readable;
  // Bytes per second that what runs inside may read from a disk of this host, and as many that it
  // may write; of a virtual machine: from its own disk, and from each place of the repository.
  // Empty: no limit.
  std::optional<Bytes> io_bandwidth;
  std::string remote;  // why what runs inside would need a network; empty: it needs none
  // Where it would have to get to, and why that would not do even if it might.
  std::vector<NetworkEndpoint> endpoints;
  std::string obstacle;
  bool repository_egress = false;  // it may: there, and nowhere else
  [[nodiscard]] bool has_way_out() const { return repository_egress && !remote.empty(); }
};

class Sandbox : public CommandRunner {
 public:
  // Destroys what is still there; never throws.
  ~Sandbox() override = default;

  // run(): inside the sandbox, as the account that owns it, labelled, with TMPDIR inside. The
  // command's own account is ignored.

  [[nodiscard]] virtual const SandboxPaths& paths() const = 0;
  // As asked for, with the account and the directory of the programs filled in.
  [[nodiscard]] virtual const SandboxSpec& spec() const = 0;
  // How libpq on the harness's side reaches the instance: host, port, user; the caller adds dbname.
  [[nodiscard]] virtual ConnectionParameters server() const = 0;
  // Absolute path inside of one of PostgreSQL's programs ("pg_ctl").
  [[nodiscard]] virtual std::string program(std::string_view name) const = 0;
  [[nodiscard]] virtual Bytes memory() const = 0;
  [[nodiscard]] virtual int cpus() const = 0;
  // Free space where PGDATA lies.
  [[nodiscard]] virtual Bytes free_space() const = 0;
  // Bytes below `path` now (restore progress); 0 if it is not there.
  [[nodiscard]] virtual Bytes size_of(const std::filesystem::path& path) const = 0;

  // Reads from `offset` to the end. Empty if there is no such file.
  [[nodiscard]] virtual std::string read_file(const std::filesystem::path& path,
                                              std::uint64_t offset = 0) const = 0;
  virtual void write_file(const std::filesystem::path& path, std::string_view content,
                          int mode = 0600) = 0;

  // Throws Error(environment) when the place itself has failed (out of memory, its engine gone): a
  // command that failed in it then says nothing about the backup.
  virtual void require_sound(std::stop_token stop) = 0;
  // Copies what explains the drill (PostgreSQL's and pgBackRest's logs, generated configuration)
  // into a directory of the harness.
  virtual void collect_logs(const std::filesystem::path& into) = 0;
  // Ends every process of the drill and removes every file; then looks again.
  virtual Removal destroy() = 0;
  // Leaves everything running when this object goes; marked so that `clean` takes it only by name.
  virtual void keep() = 0;
};

// A sandbox whose drill is over, or a kept one.
struct Leftover {
  std::string run_id;
  std::string type;
  std::string scenario;
  std::filesystem::path root;
  bool kept = false;
  bool alive = false;  // its drill still runs: never touched
};

class Provisioner {
 public:
  virtual ~Provisioner() = default;
  // What the sandbox would run with, in words; makes nothing. Throws Error(environment).
  virtual std::string probe(const SandboxSpec& spec, std::stop_token stop) = 0;
  // Throws Error(environment) with nothing left behind.
  virtual std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) = 0;
  [[nodiscard]] virtual std::vector<Leftover> list() const = 0;
  // Removes one that list() named and that is not alive.
  virtual Removal remove(const Leftover& leftover) = 0;
};

}  // namespace pgrehearse
