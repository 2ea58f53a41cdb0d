// The report files of `run` with several scenarios: one file per format about all drills.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/report/report.hpp"
#include "harness/reporting/several_drills.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

class CombinedReports {
 public:
  // `files`: format -> file; empty: nothing is written. Throws Error(usage) for a format that
  // cannot represent several drills.
  CombinedReports(std::map<std::string, std::filesystem::path> files,
                  std::span<const Scenario> scenarios);

  void add(Report report);
  // Why the scenario has no report.
  void add_reason(const std::string& scenario, const std::string& reason);

  // Replaces the files. A scenario without a report is listed as not run: a command that is killed
  // leaves files that say so. Returns whether all were written; logs those that were not.
  [[nodiscard]] bool write() const;

 private:
  std::map<std::string, std::filesystem::path> files_;
  std::vector<Report> reports_;
  std::vector<NotRun> not_run_;  // those without a report so far
};

}  // namespace pgrehearse
