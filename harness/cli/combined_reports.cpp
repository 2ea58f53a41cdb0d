#include "harness/cli/combined_reports.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "harness/common/error.hpp"

namespace pgrehearse {

CombinedReports::CombinedReports(std::map<std::string, std::filesystem::path> files,
                                 std::span<const Scenario> scenarios)
    : files_(std::move(files)) {
  for (const auto& [format, file] : files_) require_format_for_several(format);
  for (const auto& scenario : scenarios) {
    not_run_.push_back({.scenario = scenario.name, .reason = "the drill was not run"});
  }
}

void CombinedReports::add(Report report) {
  std::erase_if(not_run_,
                [&](const auto& other) { return other.scenario == report.scenario.name; });
  reports_.push_back(std::move(report));
}

void CombinedReports::add_reason(const std::string& scenario, const std::string& reason) {
  for (auto& other : not_run_) {
    if (other.scenario == scenario) other.reason = reason;
  }
}

bool CombinedReports::write() const {
  bool written = true;
  for (const auto& [format, file] : files_) {
    try {
      write_report_file({.reports = reports_, .not_run = not_run_}, format, file);
    } catch (const Error& error) {
      spdlog::error("{}; {}", error.what(), error.hint());
      written = false;
    }
  }
  return written;
}

}  // namespace pgrehearse
