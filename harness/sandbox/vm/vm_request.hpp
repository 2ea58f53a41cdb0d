// Arguments of QEMU and settings of the machine's first process, with the isolation that PostgreSQL
// settings cannot provide: no network device, and one disk as the only writable device.
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

// The machine's own files on this host.
struct VmFiles {
  explicit VmFiles(const SandboxPaths& paths);
  std::filesystem::path directory;
  std::filesystem::path disk;
  std::filesystem::path initrd;
  std::filesystem::path settings;
  std::filesystem::path program;  // harness/guest
  std::filesystem::path logs;     // directory of the next two
  std::filesystem::path console;
  std::filesystem::path qemu_log;
  std::filesystem::path sessions;  // socket; see harness/agent/protocol.hpp
  std::filesystem::path server;    // socket
};

struct VmRequest {
  const HostDirectory& directory;
  const SandboxSpec& spec;
  const VmImage& image;
};

// QEMU and its arguments, as harness/agent/supervisor.hpp wants them.
std::vector<std::string> qemu_command(const VmRequest& request, VmAccelerator accelerator);

// Throws Error(environment) if the repository has too many directories.
agent::Settings vm_settings(const VmRequest& request);

// An initrd to append to the image's: `program` as the first process.
std::string vm_initrd(std::string_view program);

// What of this host is visible inside, each once: directories, and single files.
struct VmShares {
  struct Directory {
    std::filesystem::path path;
    std::filesystem::path inside;
  };
  std::vector<Directory> directories;
  std::vector<std::filesystem::path> files;  // at the same path inside
};
// The repository, or what the backup tool writes on this host.
VmShares vm_shares(const VmRequest& request);

// What the backup tool writes on this host: the sandbox's directories `data`, `tablespaces` and
// `wal`.
std::vector<VmShares::Directory> written_outside(const SandboxPaths& paths);

// The disk for PGDATA and everything else that is written: as requested, or twice what the drill
// needs and 4 GB. It is sparse on this host.
Bytes vm_disk_size(const SandboxSpec& spec);

}  // namespace pgrehearse
