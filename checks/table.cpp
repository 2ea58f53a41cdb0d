#include "checks/table.hpp"

#include <array>

#include "checks/checks.hpp"

namespace pgrehearse {

std::span<const CheckDescription> check_table() {
  // One row per check.
  // clang-format off
  static const std::array table{
      startup_check(),
      landing_check(),
      wal_continuity_check(),
      archiver_check(),
      backup_integrity_check(),
      backups_check(),
      page_checksums_check(),
      amcheck_check(),
      index_probe_check(),
      comparison_check(),
      row_counts_check(),
      query_check(),
      databases_check(),
      extensions_check(),
      collations_check(),
      sequences_check(),
      indexes_check(),
      replication_slots_check(),
      freshness_check(),
      settings_check(),
      identity_check(),
      patroni_bootstrap_check(),
      replica_check(),
  };
  // clang-format on
  return table;
}

}  // namespace pgrehearse
