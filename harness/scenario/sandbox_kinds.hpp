// The kinds of sandbox as scenarios and messages know them: one row per value of `sandbox.type`.
// How a sandbox of each kind is created is in harness/cli/wiring.cpp.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

struct SandboxKind {
  // The options that a scenario is read into: SandboxSpec::options or Scenario::kubernetes.
  enum class Options { local, container, vm, pod };

  std::string_view type;
  std::string_view summary;                // one line
  std::span<const std::string_view> keys;  // of the section `sandbox`, besides `type`
  Options options = Options::local;
  bool can_be_kept = true;  // with `run --keep`
};

namespace sandbox_keys {
inline constexpr auto local = std::to_array<std::string_view>(
    {"directory", "run_as", "memory", "cpus", "superuser", "binaries"});
inline constexpr auto container =
    std::to_array<std::string_view>({"directory", "run_as", "memory", "cpus", "superuser",
                                     "binaries", "image", "engine", "egress", "io_bandwidth"});
inline constexpr auto vm = std::to_array<std::string_view>(
    {"directory", "run_as", "memory", "cpus", "superuser", "binaries", "image", "checksum",
     "accelerator", "boot_timeout", "disk", "io_bandwidth"});
inline constexpr auto pod = std::to_array<std::string_view>(
    {"memory", "cpus", "superuser", "binaries", "image", "egress", "kubernetes"});
}  // namespace sandbox_keys

inline constexpr auto sandbox_kinds = std::to_array<SandboxKind>({
    {.type = "local", .summary = "processes on this host", .keys = sandbox_keys::local},
    {.type = "docker",
     .summary = "a Docker container",
     .keys = sandbox_keys::container,
     .options = SandboxKind::Options::container},
    {.type = "podman",
     .summary = "a Podman container",
     .keys = sandbox_keys::container,
     .options = SandboxKind::Options::container},
    {.type = "vm",
     .summary = "a QEMU virtual machine",
     .keys = sandbox_keys::vm,
     .options = SandboxKind::Options::vm},
    {.type = "kubernetes",
     .summary = "a Kubernetes pod that runs the whole drill",
     .keys = sandbox_keys::pod,
     .options = SandboxKind::Options::pod,
     .can_be_kept = false},
});
inline constexpr auto default_sandbox_type = sandbox_kinds.front().type;

// The values of `sandbox.type`, in the order of the table.
inline constexpr auto sandbox_types = [] {
  std::array<std::string_view, sandbox_kinds.size()> types{};
  for (std::size_t row = 0; row < types.size(); ++row) types.at(row) = sandbox_kinds.at(row).type;
  return types;
}();

// Throws Error(internal) if `type` is not in the table.
const SandboxKind& sandbox_kind(std::string_view type);

// "docker, podman": the types that use a key of the section `sandbox`; empty: all of them.
std::string limited_to(std::string_view sandbox_key);

// Adds an error for each key of the section `sandbox` that belongs to other kinds. If --set
// replaced the type, the other kinds' keys in the file are ignored.
void check_sandbox_keys(const YamlNode& root, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
