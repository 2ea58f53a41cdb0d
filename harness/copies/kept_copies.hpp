// The copies that drills kept on this host.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/copies/copy_record.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

enum class CopyState {
  paused,       // read-only; replay can continue
  open,         // promoted: read-write
  not_running,  // or it accepts no connection
  in_use,       // by another pgrehearse process
};
std::string_view name_of(CopyState state);

struct KeptCopy {
  RegistryEntry entry;
  std::optional<CopyRecord> record;
  CopyState state = CopyState::not_running;
  std::optional<Lsn> lsn;         // of the last replayed record, or where it writes
  std::optional<Instant> newest;  // newest replayed commit
  Bytes size;
};

// By run id. Connects to each for its state.
std::vector<KeptCopy> kept_copies(const std::filesystem::path& state, const std::stop_token& stop);

// The registry entry of the copy that `text` names: a run id, a unique beginning or end of one, or
// empty if there is only one copy. Throws Error(usage).
RegistryEntry find_copy(const std::filesystem::path& state, const std::string& text);

// How libpq reaches it; without a database.
ConnectionParameters connection_to(const RegistryEntry& entry,
                                   const std::optional<CopyRecord>& record);

// Ends replay where it is and opens the copy for writing. Throws Error(recovery).
void promote_copy(Sandbox& sandbox, const std::stop_token& stop);

}  // namespace pgrehearse
