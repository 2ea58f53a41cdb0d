// From evidence to one plain statement: what broke, what it costs, what to do next.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/report/report.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// What is known about the archive, for "which recovery points remain"; absent before it was listed.
struct RecoverableWindow {
  std::string backup;
  std::optional<Instant> consistent_from;  // the backup's stop
  WalLineage lineage;
};

// "backup ... archive ... environment ... scenario ... instance": whose fault a finding code is.
std::string blame_of(const std::string& code);

// For a drill that could not go on; what checks of the report found by then is told as well.
Diagnosis diagnose_error(const Error& error, const Report& report,
                         const std::optional<RecoverableWindow>& window,
                         std::vector<std::string> evidence);
// For a drill that ran to its end: the finding that explains most of the others.
Diagnosis diagnose_checks(const Report& report, const std::optional<RecoverableWindow>& window);

}  // namespace pgrehearse
