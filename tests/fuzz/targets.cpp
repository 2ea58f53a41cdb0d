#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

std::span<const FuzzTarget> fuzz_targets() {
  static constexpr auto table = std::to_array<FuzzTarget>({
      {"scenario", "a scenario and an override", feed_scenario},
      {"pgbackrest_info", "`pgbackrest info --output=json`", feed_pgbackrest_info},
      {"archive_listing", "`pgbackrest repo-ls` of the archive, history files, the map of both",
       feed_archive_listing},
      {"pgbackrest_output", "pgBackRest's log lines, `verify`, restore progress",
       feed_pgbackrest_output},
      {"waldump", "pg_waldump's lines, snapshots, WAL positions", feed_waldump},
      {"postgres_log", "PostgreSQL's log and the restore_command's record", feed_postgres_log},
      {"postgres_tools", "pg_controldata, pg_amcheck, pg_checksums, postgresql.conf, row counts",
       feed_postgres_tools},
      {"fingerprint", "a fingerprint file", feed_fingerprint},
      {"report", "a run record, and all formats made from it", feed_report},
      {"patroni", "Patroni's answers, keys in etcd and log, the log of a standby", feed_patroni},
  });
  return table;
}

const FuzzTarget* find_fuzz_target(std::string_view name) {
  const auto table = fuzz_targets();
  const auto found = std::ranges::find(table, name, &FuzzTarget::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgrehearse
