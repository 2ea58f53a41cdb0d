// What QEMU and the machine's first process are told: the walls of the quarantine that settings of
// PostgreSQL cannot build. There is no network device at all, and nothing to write to but one disk.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/agent/protocol.hpp"
#include "harness/sandbox/host_directory.hpp"
#include "harness/sandbox/vm/vm_image.hpp"

namespace pgrehearse {

enum class VmAccelerator { kvm, tcg };

// Where the machine's own files lie on this host.
struct VmFiles {
  explicit VmFiles(const SandboxPaths& paths);
  std::filesystem::path directory;
  std::filesystem::path disk;
  std::filesystem::path initrd;
  std::filesystem::path settings;
  std::filesystem::path program;  // harness/agent
  std::filesystem::path logs;     // directory of the next two
  std::filesystem::path console;
  std::filesystem::path qemu_log;
  std::filesystem::path sessions;  // socket; see harness/agent/protocol.hpp
  std::filesystem::path server;    // socket
};

struct VmRequest {
  const HostDirectory& place;
  const SandboxSpec& spec;
  const VmImage& image;
};

// QEMU and its arguments, as harness/agent/supervisor.hpp wants them.
std::vector<std::string> qemu_command(const VmRequest& request, VmAccelerator accelerator);

// Throws Error(environment) for a place that cannot be shown inside.
agent::Settings vm_settings(const VmRequest& request);

// An archive for the kernel, to stand behind the image's: `program` as its first process.
std::string vm_initrd(std::string_view program);

// What is shown inside, each once: directories, and single files.
struct VmShares {
  std::vector<std::filesystem::path> directories;
  std::vector<std::filesystem::path> files;
};
VmShares vm_shares(const std::vector<std::filesystem::path>& readable);

// The disk for PGDATA and all else that is written: as asked, or twice what the drill needs and
// some more. It takes room on this host only where it is written.
Bytes vm_disk_size(const SandboxSpec& spec);

}  // namespace pgrehearse
