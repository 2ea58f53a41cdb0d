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
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct SessionOptions {
  bool keep = false;
  std::optional<std::chrono::milliseconds> timeout;
  // Format name -> file, in addition to those of the scenario.
  std::map<std::string, std::filesystem::path> reports;
  // As in DrillServices.
  std::vector<PausePointVisitor*> pause_point_visitors = {};
  AtLanding at_landing = {};
  AfterPausePoint after_pause_point = {};
  bool stay_standby = false;
};

// Throws Error(usage) if a report file will not be writable. Call before the drill starts.
void require_writable_reports(const Scenario& scenario, const SessionOptions& options);

struct DrillSession {
  Report report;
  bool reports_written = true;  // false: the log names the files that could not be written
};

// Runs the drill, writes its report files and the rendered formats of its run directory.
DrillSession run_session(const Scenario& scenario, const SessionOptions& options,
                         const CommonOptions& common, std::stop_token stop);

// A report that could not be written is never exit 0. A scenario error that the drill found is a
// usage error.
ExitCode exit_code_of(const DrillSession& session);

// report.txt and the other formats of a run directory. Returns whether all were written; logs
// those that were not.
bool write_run_reports(const Report& report, const std::filesystem::path& run_directory);

// To standard output, in the format of --format.
void print_report(const Report& report, const CommonOptions& common);

// To standard error, as the single line that is searched for in a pod's log.
void print_report_line(const Report& report);

// Removes leftovers of killed drills on this host, like `clean` without arguments.
void remove_leftovers(const CommonOptions& common);

}  // namespace pgrehearse
