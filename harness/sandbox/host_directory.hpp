// What of a sandbox lies on this host, whatever runs in it: the entry in the registry, the
// directories, the files of the account that owns them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/process/command.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// The account that is to own a sandbox and run PostgreSQL, which refuses root. Throws
// Error(environment, PGR-ENV-ACCOUNT).
Account sandbox_account(const SandboxSpec& spec);

// Where the directories of a sandbox lie below its root.
SandboxPaths layout(const RegistryEntry& entry);

class HostDirectory {
 public:
  // Registers and locks a new sandbox before there is anything to find; makes nothing yet. Throws
  // Error(environment), also when something of its name is there.
  static HostDirectory claim(const Registry& registry, const SandboxSpec& spec,
                             const Account& account, std::string_view engine = {});

  // The root alone, and the directory for sockets where it lies outside. Throws
  // Error(environment).
  void make_root() const;
  // All of them. Throws Error(environment).
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

  // Marks the sandbox as one to stay.
  void keep();
  // Takes it off the registry: nothing of it is left.
  void forget() { owned_.remove(); }

 private:
  HostDirectory(Account account, OwnedEntry owned, RegistryEntry entry);

  Account account_;
  OwnedEntry owned_;
  RegistryEntry entry_;
  SandboxPaths paths_;
};

// How libpq reaches the server of a sandbox.
ConnectionParameters server_in(const SandboxPaths& paths, const SandboxSpec& spec);
// Throws Error(internal) before PostgreSQL's programs were found.
std::string program_in(const SandboxSpec& spec, std::string_view name);
// All that `command` gets where nothing of this process's environment is to be seen.
std::map<std::string, std::string> environment_inside(const HostDirectory& place,
                                                      const Command& command);

// A registered sandbox as the provisioners list it.
Leftover leftover_of(const Registry::Listed& listed);

struct TakenLeftover {
  OwnedEntry owned;
  RegistryEntry entry;
};
// nullopt: somebody else has removed it meanwhile. Throws Error(environment,
// PGR-ENV-SANDBOX-IN-USE) when its drill lives.
std::optional<TakenLeftover> take_leftover(const Registry& registry, const std::string& run_id);

// Memory that an instance may plan with, and processors: as asked, or this host's share.
Bytes memory_for(const SandboxSpec& spec);
int cpus_for(const SandboxSpec& spec);

}  // namespace pgrehearse
