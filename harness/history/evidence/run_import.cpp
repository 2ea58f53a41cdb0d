#include "harness/history/evidence/run_import.hpp"

#include "harness/history/evidence/run_manifest.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

LedgerRow row_of_run(const std::filesystem::path& run_directory) {
  const auto report = load_report(run_directory / record_name);
  LedgerRow row;
  row.id = report.id;
  row.scenario = report.scenario.name;
  row.host = report.host;
  row.started = report.started;
  if (const auto version = report.tools.find("pgrehearse"); version != report.tools.end()) {
    row.program_version = version->second;
  }
  set_results(row, report);
  if (row.state == DrillState::running) row.state = DrillState::killed;
  set_files(row, run_directory);
  return row;
}

}  // namespace pgrehearse
