// The drills of one command in one file, for CI systems.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "harness/report/report.hpp"

namespace pgrehearse {

// A scenario without a report.
struct NotRun {
  std::string scenario;
  std::string reason;
};

struct SeveralDrills {
  std::span<const Report> reports;
  std::span<const NotRun> not_run;
};

// Throws Error(usage) if the format cannot represent several drills.
void require_format_for_several(std::string_view format);

// Replaces the file atomically. Throws Error(environment, env_report_file).
void write_report_file(const SeveralDrills& drills, std::string_view format,
                       const std::filesystem::path& file);

}  // namespace pgrehearse
