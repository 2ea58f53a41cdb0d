// Whether one instant can be recovered, from a recovery map alone.
#pragma once

#include <optional>
#include <string>

#include "harness/map/recovery_map.hpp"

namespace pgrehearse {

enum class Recoverability { recoverable, lost, unknown };
std::string_view name_of(Recoverability recoverability);

struct InstantAnswer {
  Recoverability answer = Recoverability::unknown;
  std::string reason;
  Timeline timeline = 0;
  std::optional<MappedBackup> backup;  // recoverable only: the backup that a restore would use
  // The WAL that it replays: up to `end`, at most up to `latest_end`.
  Lsn begin;
  Lsn end;
  Lsn latest_end;
  std::uint64_t segments = 0;      // from `begin` to `end`, all of them in the archive
  std::optional<Instant> earlier;  // the newest instant before it that can be recovered
  std::optional<Instant> later;    // the oldest one after it
};

// On the timeline that recovery follows by default, in the newest archive.
InstantAnswer recoverable_at(const RecoveryMap& map, Instant at);

}  // namespace pgrehearse
