// Every check's row for the table: one function a check, defined in the check's own file.
#pragma once

#include "harness/drill/check.hpp"

namespace pgrehearse {

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

}  // namespace pgrehearse
