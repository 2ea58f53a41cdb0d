// What a sandbox is created from: what every kind needs, and the options of one kind.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/common/units.hpp"

namespace pgrehearse {

struct NetworkEndpoint {
  std::string host;  // a name, or an IPv4 address
  int port = 0;
};

// Why commands in the sandbox need a network connection, and to where.
struct NetworkRequirement {
  std::string reason;  // "repo1 is of type s3"
  std::vector<NetworkEndpoint> endpoints;
  std::string unsupported;  // why `endpoints` are not enough; empty: they are
};

struct LocalOptions {};

struct ContainerOptions {
  std::string image;   // empty: pgrehearse:<postgres_major>
  std::string engine;  // "unix:///run/docker.sock"; empty: as docker or podman finds it
  std::optional<Bytes> io_bandwidth;  // per second, for reads and for writes; empty: no limit
  bool repository_egress = false;     // the endpoints of the network requirement can be reached
};

struct VmOptions {
  std::filesystem::path image;  // directory; empty: <state>/vm/<postgres_major>
  std::string checksum;         // "sha256:..." of the image; empty: not verified
  std::string accelerator;      // "kvm", "tcg"; empty: KVM if the machine boots with it
  std::chrono::milliseconds boot_timeout{std::chrono::minutes(3)};
  std::optional<Bytes> disk;          // empty: from SandboxSpec::needed
  std::optional<Bytes> io_bandwidth;  // per second and disk or share; empty: no limit
};

using SandboxOptions = std::variant<LocalOptions, ContainerOptions, VmOptions>;

struct SandboxSpec {
  std::string run_id;                  // label of everything that the drill creates
  std::string scenario;                // its name, shown for leftovers
  std::string type;                    // "local", "docker", "podman", "vm"
  std::filesystem::path directory;     // parent of sandboxes; empty: <state>/sandboxes
  std::string account;                 // run_as; empty: postgres for root, else the current account
  std::optional<Bytes> memory;         // empty: a quarter of the host's
  int cpus = 0;                        // 0: all CPUs of the host
  std::string superuser = "postgres";  // the restored cluster's superuser role
  std::optional<std::filesystem::path> binaries;  // directory of the PostgreSQL binaries
  int postgres_major = 0;
  Bytes needed;  // space for the restored cluster and its WAL
  // Files and directories of this host that commands inside read, at the same path.
  std::vector<std::filesystem::path> readable;
  // How long an instance that is kept stays; empty: until it is removed by name.
  std::optional<std::chrono::milliseconds> keep_for = {};
  std::optional<NetworkRequirement> network_requirement;  // empty: no network is needed
  SandboxOptions options;
};

// The options of one kind of sandbox. Throws Error(internal) if the spec is for another kind.
template <typename Options>
const Options& options_of(const SandboxSpec& spec) {
  const auto* options = std::get_if<Options>(&spec.options);
  if (options == nullptr) {
    throw Error(ErrorKind::internal, "the sandbox has the options of another kind");
  }
  return *options;
}

}  // namespace pgrehearse
