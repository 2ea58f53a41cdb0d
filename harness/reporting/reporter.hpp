// The report formats. Reporters see only the saved record, so that old runs can be rendered again.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string_view>

#include "harness/report/report.hpp"

namespace pgrehearse {

// An earlier drill of the same scenario, for trends.
struct PastDrill {
  Instant started;
  Verdict verdict = Verdict::unknown;
  std::optional<double> rto;  // seconds
  std::optional<double> rpo;
};

struct RenderOptions {
  bool color = false;
  int width = 100;                   // columns, for text
  bool verbose = false;              // text: also what passing checks found, and every phase
  std::vector<PastDrill> past = {};  // html: oldest first
  // html: styles and scripts are linked from /assets, for a server that forbids inline ones.
  bool linked_assets = false;
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

// Replaces the file with what `write` writes, atomically: a reader sees the old file or the new
// one. Throws Error(environment, env_report_file).
void write_output_file(const std::filesystem::path& file,
                       const std::function<void(std::ostream&)>& write);

// Replaces the file atomically: a reader sees the old file or the new one. Throws
// Error(environment, env_report_file).
void write_report_file(const Report& report, std::string_view format,
                       const std::filesystem::path& file, const RenderOptions& options = {});

}  // namespace pgrehearse
