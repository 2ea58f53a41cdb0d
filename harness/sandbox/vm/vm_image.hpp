// What a virtual machine starts from: a directory that docker/vm/build has made.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct VmImage {
  std::filesystem::path directory;
  std::string checksum;  // "sha256:..." of its SHA256SUMS, which names all its files
  std::string kernel;    // release

  [[nodiscard]] std::filesystem::path kernel_file() const { return directory / "kernel"; }
  [[nodiscard]] std::filesystem::path modules_file() const { return directory / "modules.cpio"; }
  [[nodiscard]] std::filesystem::path root_file() const { return directory / "root.qcow2"; }
};

// The image that the specification names, or the one for its major version in `<state>/vm` or
// /var/lib/pgrehearse/vm; of this host's architecture and with the pinned checksum. Throws
// Error(environment, PGR-ENV-IMAGE).
VmImage find_vm_image(const SandboxSpec& spec, const std::filesystem::path& state);

// Reads all of it: each file is as its checksum says. Throws Error(environment, PGR-ENV-IMAGE).
void verify_vm_image(const VmImage& image, const std::stop_token& stop);

}  // namespace pgrehearse
