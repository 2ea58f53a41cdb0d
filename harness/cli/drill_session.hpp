// One drill as the commands run it, with deadline, progress and report files.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/cli/command_table.hpp"
#include "harness/drill/drill_services.hpp"
#include "harness/report/report.hpp"
#include "harness/report/verdict.hpp"
#include "harness/reporting/reporter.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct SessionOptions {
  std::string run_id = {};  // empty: a new one
  bool keep = false;
  // For other drills of the stanza to end. Otherwise the drill runs at the same time.
  bool wait_for_stanza = false;
  // False: recorded in the state directory only, because the drill is no evidence about the stanza.
  bool shared_ledger = true;
  // Of the schedule: the drill of a scenario, due time and attempt runs once.
  std::optional<Instant> due = {};
  std::uint64_t attempt = 1;
  // Recorded as operator; empty: the account of this process.
  std::string requested_by = {};
  std::optional<std::chrono::milliseconds> timeout;
  // Format name -> file, in addition to those of the scenario.
  std::map<std::string, std::filesystem::path> reports;
  // As in DrillServices.
  std::vector<PausePointVisitor*> pause_point_visitors = {};
  AtLanding at_landing = {};
  AfterPausePoint after_pause_point = {};
  bool stay_standby = false;
  const FetchedWal* fetched = nullptr;
};

// The scenario's ledger in PostgreSQL, else that of the environment; nullopt: the state
// directory's.
std::optional<ConnectionParameters> ledger_of(const Scenario& scenario);

// Throws Error(usage) if a report file will not be writable. Call before the drill starts.
void require_writable_reports(const Scenario& scenario, const SessionOptions& options);

struct DrillSession {
  Report report;
  // False: the ledger has a drill of this due time; there is no report.
  bool started = true;
  bool reports_written = true;  // false: the log names the files that could not be written
};

// Records the drill in the ledger, runs it when no other drill of its stanza runs, writes its
// report files and the rendered formats of its run directory. Throws Error(environment) if the
// ledger cannot be used: a drill without a record is no evidence.
DrillSession run_session(const Scenario& scenario, const SessionOptions& options,
                         const CommonOptions& common, std::stop_token stop);

// A report that could not be written is never exit 0. A scenario error that the drill found is a
// usage error.
ExitCode exit_code_of(const DrillSession& session);

// report.txt and the other formats of a run directory. Returns whether all were written; logs
// those that were not. `past`: for trends.
bool write_run_reports(const Report& report, const std::filesystem::path& run_directory,
                       const std::vector<PastDrill>& past);

// To standard output, in the format of --format.
void print_report(const Report& report, const CommonOptions& common);

// To standard error, as the single line that is searched for in a pod's log.
void print_report_line(const Report& report);

// Removes leftovers of killed drills on this host, like `clean` without arguments.
void remove_leftovers(const CommonOptions& common);

}  // namespace pgrehearse
