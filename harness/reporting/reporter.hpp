// The report formats. Reporters see only the saved record, so that old runs can be rendered again.
#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <string_view>

#include "harness/report/report.hpp"

namespace pgrehearse {

struct RenderOptions {
  bool color = false;
  int width = 100;  // columns, for text
};

// A row of the reporter table.
struct ReporterDescription {
  std::string_view format;  // "json"
  std::string_view summary;
  void (*write)(const Report& report, const RenderOptions& options, std::ostream& out) = nullptr;
};

// text, html, json, junit, markdown.
std::span<const ReporterDescription> reporters();

// Throws Error(usage) with the nearest format name.
const ReporterDescription& find_reporter(std::string_view format);

// Replaces the file atomically: a reader sees the old file or the new one. Throws
// Error(environment, env_report_file).
void write_report_file(const Report& report, std::string_view format,
                       const std::filesystem::path& file);

}  // namespace pgrehearse
