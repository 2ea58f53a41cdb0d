// One format of the report. Reporters see the saved record only, so that old runs re-render.
#pragma once

#include <ostream>
#include <span>
#include <string_view>

#include "harness/drill/report.hpp"

namespace pgrehearse {

struct RenderOptions {
  bool colour = false;
  int width = 100;  // columns, for text
};

// A row of the reporter table.
struct ReporterDescription {
  std::string_view format;  // "json"
  std::string_view summary;
  void (*write)(const Report& report, const RenderOptions& options, std::ostream& out) = nullptr;
};

// text, json, junit, markdown.
std::span<const ReporterDescription> reporters();

}  // namespace pgrehearse
