#include "tests/fakes/sample_rows.hpp"

#include "harness/report/run_store.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {

namespace {

LedgerRow row_with(LedgerRow row, const Report& report) {
  const auto shift = row.started - report.started;
  set_results(row, report);
  if (row.finished) *row.finished += shift;
  return row;
}

}  // namespace

LedgerRow started_row(const std::string& scenario, int hour) {
  LedgerRow row;
  row.started = *parse_instant("2026-11-20T00:00:00Z") + std::chrono::hours(hour);
  row.id = make_run_id(row.started, std::hash<std::string>()(scenario));
  row.scenario = scenario;
  row.stanza = "orders";
  row.host = "drill1";
  row.operator_account = "postgres";
  row.program_version = "0.1.0";
  row.program_checksum = std::string(64, 'c');
  row.directory = "/var/lib/pgrehearse/runs/" + scenario + "/" + row.id;
  return row;
}

LedgerRow passed_row(const std::string& scenario, int hour) {
  return row_with(started_row(scenario, hour), passed_report());
}

LedgerRow failed_row(const std::string& scenario, int hour) {
  return row_with(started_row(scenario, hour), failed_report());
}

}  // namespace pgrehearse
