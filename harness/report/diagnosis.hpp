// From findings to a diagnosis: what broke, which recovery points are lost, what to do next.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/report/report.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// Which recovery points remain. Absent until the archive was listed.
struct RecoverableWindow {
  std::string backup;
  std::optional<Instant> consistent_from;  // when the backup ended
  WalLineage lineage;
};

// For a drill that could not continue. Checks that had failed by then become evidence.
Diagnosis diagnose_error(const Error& error, const Report& report,
                         const std::optional<RecoverableWindow>& window,
                         std::vector<std::string> evidence);
// For a drill that ran to its end: the finding closest to the cause.
Diagnosis diagnose_checks(const Report& report, const std::optional<RecoverableWindow>& window);

}  // namespace pgrehearse
