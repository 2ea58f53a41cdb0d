// One drill as the commands run it: leftovers removed, parts wired, deadline, progress, report
// files.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/cli/command_table.hpp"
#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct SessionOptions {
  bool keep = false;
  std::optional<std::chrono::milliseconds> timeout;
  // Format name -> file, besides those that the scenario names.
  std::map<std::string, std::filesystem::path> reports;
};

// Throws Error(usage) when a report file cannot be written later; says so before anything starts.
void require_writable_reports(const Scenario& scenario, const SessionOptions& options);

// Runs the drill, writes its report files and the rendered formats of its run directory.
Report run_session(const Scenario& scenario, const SessionOptions& options,
                   const CommonOptions& common, std::stop_token stop);

// To standard output, as --format says.
void print_report(const Report& report, const CommonOptions& common);

// To standard error, as the one line that the reader of a pod's log looks for.
void print_report_line(const Report& report);

// Removes what dead drills left on this host, as `clean` does without arguments.
void remove_leftovers(const CommonOptions& common);

}  // namespace pgrehearse
