// The part of a sandbox on this host, whatever its kind: the registry entry, the directories, the
// files of the account that owns them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// The account that owns a sandbox and runs PostgreSQL; never root. Throws
// Error(environment, env_account).
Account sandbox_account(const SandboxSpec& spec);

// The directories of a sandbox.
SandboxPaths layout(const RegistryEntry& entry);

class HostDirectory {
 public:
  // Registers and locks a new sandbox before anything is created. Throws Error(environment), also
  // if a file of its name exists.
  static HostDirectory claim(const Registry& registry, const SandboxSpec& spec,
                             const Account& account, std::string_view engine = {});

  // One that is kept; takes its lock. nullopt: there is none. Throws Error(environment,
  // env_sandbox_in_use) if another process uses it.
  static std::optional<HostDirectory> reopen(const Registry& registry, const std::string& run_id);

  // Creates the root, and the directory for sockets if it is outside the root. Throws
  // Error(environment).
  void make_root() const;
  // Creates all directories. Throws Error(environment).
  void make_directories() const;

  [[nodiscard]] const Account& account() const { return account_; }
  [[nodiscard]] const RegistryEntry& entry() const { return entry_; }
  [[nodiscard]] const SandboxPaths& paths() const { return paths_; }

  [[nodiscard]] Bytes free_space() const;
  [[nodiscard]] Bytes size_of(const std::filesystem::path& path) const;
  [[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                      std::uint64_t offset) const;
  void write_file(const std::filesystem::path& path, std::string_view content, int mode) const;
  void collect_logs(const std::filesystem::path& into) const;

  // Marks the sandbox as kept, for the time that its specification says.
  void keep();
  // Removes the registry entry, once nothing of the sandbox remains.
  void forget() { owned_.remove(); }

 private:
  HostDirectory(Account account, OwnedEntry owned, RegistryEntry entry);

  Account account_;
  OwnedEntry owned_;
  RegistryEntry entry_;
  SandboxPaths paths_;
  std::optional<std::chrono::milliseconds> keep_for_;
};

// The whole environment of `command` in a sandbox that does not inherit this process's environment.
// pgbackrest_variables() are in it if the backup tool runs inside.
std::map<std::string, std::string> environment_inside(const HostDirectory& directory,
                                                      const Command& command,
                                                      bool backup_tool_inside);

// The registered sandboxes of these types.
std::vector<Leftover> registered_leftovers(const Registry& registry,
                                           const std::vector<std::string_view>& types);

struct TakenLeftover {
  OwnedEntry owned;
  RegistryEntry entry;
};
// nullopt: there is no entry any more. Throws Error(environment, env_sandbox_in_use) if its
// drill is running.
std::optional<TakenLeftover> take_leftover(const Registry& registry, const std::string& run_id);
// Calls `remove`, and removes the registry entry once nothing remains. nullopt and throws as
// take_leftover().
std::optional<Removal> remove_registered(
    const Registry& registry, const Leftover& leftover,
    const std::function<Removal(const RegistryEntry& entry)>& remove);

// Memory and CPUs of an instance: as requested, or a share of this host's.
Bytes memory_for(const SandboxSpec& spec);
int cpus_for(const SandboxSpec& spec);

}  // namespace pgrehearse
