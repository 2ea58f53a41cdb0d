// Records of three drills with a fixed clock, host and id, for golden files and the schema test.
#pragma once

#include "harness/report/report.hpp"

namespace pgrehearse {

Report passed_report();
// A page that does not match its checksum and a table that did not come back; hostile names.
Report failed_report();
// Killed while it restored: no end, no landing, no checks.
Report killed_report();
// As little as a record can hold: the drill has just begun.
Report minimal_report();

}  // namespace pgrehearse
