// Every check's row for the table: one function per check, defined in the check's own file.
#pragma once

#include "harness/drill/check.hpp"

namespace pgrehearse {

CheckDescription startup_check();
CheckDescription landing_check();
CheckDescription wal_continuity_check();
CheckDescription archiver_check();
CheckDescription backup_integrity_check();
CheckDescription backups_check();
CheckDescription page_checksums_check();
CheckDescription amcheck_check();
CheckDescription index_probe_check();
CheckDescription comparison_check();
CheckDescription row_counts_check();
CheckDescription query_check();
CheckDescription databases_check();
CheckDescription extensions_check();
CheckDescription collations_check();
CheckDescription sequences_check();
CheckDescription indexes_check();
CheckDescription replication_slots_check();
CheckDescription freshness_check();
CheckDescription settings_check();
CheckDescription identity_check();
CheckDescription patroni_bootstrap_check();
CheckDescription replica_check();

}  // namespace pgrehearse
