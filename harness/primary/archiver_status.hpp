// The archiver's status as the primary reports it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "harness/postgres/lsn.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

struct ArchiverStatus {
  Lsn lsn;  // written by a primary, replayed by a standby
  Timeline timeline = 0;
  std::string last_archived;  // pg_stat_archiver; empty: none
  std::optional<Instant> last_archived_at;
  std::string last_failed;
  std::optional<Instant> last_failed_at;
};

// Throws SqlError(environment).
ArchiverStatus read_archiver(const Primary& primary, std::stop_token stop);

}  // namespace pgrehearse
