// The image of a virtual machine: a directory built by docker/vm/build.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct VmImage {
  std::filesystem::path directory;
  std::string checksum;  // "sha256:..." of its SHA256SUMS, which lists all its files
  std::string kernel;    // release

  [[nodiscard]] std::filesystem::path kernel_file() const { return directory / "kernel"; }
  [[nodiscard]] std::filesystem::path modules_file() const { return directory / "modules.cpio"; }
  [[nodiscard]] std::filesystem::path root_file() const { return directory / "root.qcow2"; }
};

// The image of the options, or the one for the major version in `<state>/vm` or
// /var/lib/pgrehearse/vm. Throws Error(environment, env_image), also if its architecture is not
// this host's or its checksum is not that of the options.
VmImage find_vm_image(const SandboxSpec& spec, const std::filesystem::path& state);

// Compares each file with its checksum. Throws Error(environment, env_image).
void verify_vm_image(const VmImage& image, const std::stop_token& stop);

}  // namespace pgrehearse
