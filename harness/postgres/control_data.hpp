// The output of pg_controldata.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct ControlData {
  std::uint64_t system_identifier = 0;
  std::string state;  // "in production", "shut down", "shut down in recovery", ...
  Lsn checkpoint_lsn;
  Timeline checkpoint_timeline = 0;
  Lsn minimum_recovery_ending_lsn;
  Lsn backup_start_lsn;
  std::uint64_t wal_segment_size = 0;  // bytes
  bool data_checksums = false;
  // Recovery fails with lower values than these ("... setting" lines).
  int max_connections = 0;
  int max_worker_processes = 0;
  int max_wal_senders = 0;
  int max_prepared_transactions = 0;
  int max_locks_per_transaction = 0;
};

// Parses pg_controldata's output made with LC_ALL=C. Throws Error(repository) naming the missing
// line.
ControlData parse_control_data(std::string_view output);

}  // namespace pgrehearse
