// The file systems of the virtual machine: the image (read-only), the sandbox's disk, and the
// shared directories of the host (read-only).
#pragma once

#include <string>
#include <string_view>

#include "harness/agent/protocol.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse::agent {

// Why the virtual machine cannot start.
struct Failure {
  std::string what;
  int error = 0;
};

// The first value; empty when there is none.
std::string value_of(const Settings& settings, std::string_view key);

// Loads the kernel modules, reads the settings, mounts the file systems, changes the root to them
// and enables the loopback interface, the only network interface. Throws Failure.
Settings prepare_virtual_machine();

// Opens the virtio port of the agent. Throws Failure.
Descriptor open_port();

}  // namespace pgrehearse::agent
