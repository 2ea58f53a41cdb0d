// What the machine's processes see: the image, read-only; the sandbox's disk; the host's places
// that are shared, read-only; nothing else.
#pragma once

#include <string>
#include <string_view>

#include "harness/agent/descriptor.hpp"
#include "harness/agent/protocol.hpp"

namespace pgrehearse::guest {

// Why the machine cannot go on.
struct Failure {
  std::string what;
  int error = 0;
};

// The first value; empty when there is none.
std::string value_of(const Settings& settings, std::string_view key);

// Loads the kernel's modules, reads the settings, mounts everything and makes it the root; the
// loop device of the network is up, and there is no other. Throws Failure.
Settings prepare_machine();

// The virtio port of the agent. Throws Failure.
Descriptor open_port();

}  // namespace pgrehearse::guest
