// `copies share`: other accounts of this host use a copy, as long as the command runs.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/copies/sharing/access_relay.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct CopiesShare {
  std::vector<std::string> allow;  // accounts, and groups as "@group"
  std::string role;                // empty: one that may read everything
  bool tcp = false;
  std::uint16_t port = 0;  // for TCP; 0: a free one
  std::string time;        // a duration; empty: until interrupted
};

struct SharedCopy {
  AccessRelayOptions access;
  std::optional<std::chrono::milliseconds> time;
};

// Prepares the copy. Throws Error(usage).
SharedCopy prepare_share(Sandbox& copy, const RegistryEntry& entry, const CopiesShare& arguments,
                         const std::stop_token& stop);
// Says how to connect, and serves the clients. `database`: named in what is printed.
ExitCode share_copy(SharedCopy shared, const RegistryEntry& entry, const CopiesShare& arguments,
                    const std::string& database, const CommonOptions& common,
                    const std::stop_token& stop);

}  // namespace pgrehearse
