// The archiver's status as the primary reports it.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/postgres/lsn.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

// Segments that are complete and not archived (archive_status/*.ready).
struct WaitingSegments {
  std::uint64_t count = 0;
  std::string oldest;     // by name; empty: none
  Seconds oldest_age{0};  // by the server's clock
};

struct ArchiverStatus {
  Lsn lsn;  // written by a primary, replayed by a standby
  Timeline timeline = 0;
  bool in_recovery = false;
  std::string archive_mode;   // "off", "on", "always"
  Instant now;                // the server's clock
  std::string last_archived;  // pg_stat_archiver; empty: none
  std::optional<Instant> last_archived_at;
  std::uint64_t archived_count = 0;
  std::string last_failed;
  std::optional<Instant> last_failed_at;
  std::uint64_t failed_count = 0;
  // nullopt where the role may not see them (pg_monitor may), and before PostgreSQL 12.
  std::optional<WaitingSegments> waiting;

  // The last attempt failed, and nothing has been archived since.
  [[nodiscard]] bool failing() const {
    return last_failed_at && (!last_archived_at || *last_failed_at > *last_archived_at);
  }
};

// Throws SqlError(environment).
ArchiverStatus read_archiver(const Primary& primary, std::stop_token stop);

}  // namespace pgrehearse
