#include <array>

#include "harness/reporting/formats.hpp"

namespace pgrehearse {

std::span<const ReporterDescription> reporters() {
  static constexpr std::array<ReporterDescription, 4> table{{
      {"text", "a summary for a terminal or a mail", write_text},
      {"json", "the whole record, as docs/report.schema.json describes it", write_json},
      {"junit", "JUnit XML for a CI system, one test case a check", write_junit},
      {"markdown", "for a CI job's summary page or an issue", write_markdown},
  }};
  return table;
}

}  // namespace pgrehearse
