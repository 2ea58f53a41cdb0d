#include <fmt/format.h>

#include <array>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/reporting/formats.hpp"

namespace pgrehearse {

std::span<const ReporterDescription> reporters() {
  static constexpr std::array<ReporterDescription, 5> table{{
      {"text", "summary for a terminal or an email", write_text},
      {"html", "one page for a browser, self-contained", write_html},
      {"json", "the complete record (schema: docs/report.schema.json)", write_json},
      {"junit", "JUnit XML for CI, one test case per check", write_junit},
      {"markdown", "Markdown for a CI job summary or an issue", write_markdown},
  }};
  return table;
}

const ReporterDescription& find_reporter(std::string_view format) {
  std::vector<std::string> names;
  for (const auto& reporter : reporters()) {
    if (reporter.format == format) return reporter;
    names.emplace_back(reporter.format);
  }
  const auto near = nearest(format, names);
  throw Error(ErrorKind::usage, fmt::format("unknown report format '{}'", format),
              near ? fmt::format("did you mean '{}'?", *near)
                   : fmt::format("formats: {}", join(names, ", ")));
}

}  // namespace pgrehearse
