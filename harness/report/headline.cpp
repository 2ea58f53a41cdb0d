#include "harness/report/headline.hpp"

#include <fmt/format.h>

#include "harness/common/text.hpp"

namespace pgrehearse {

Verdict settled_verdict(const Report& report) {
  return report.finished ? report.verdict : Verdict::unknown;
}

std::string headline(const Report& report) {
  if (!report.finished) {
    constexpr std::string_view what = "did not finish: killed, or still running";
    if (report.phases.empty()) return std::string(what);
    return fmt::format("{} (last phase: {})", what, report.phases.back().name);
  }
  const auto lines = lines_of(report.diagnosis.summary);
  return lines.empty() ? std::string{} : std::string(lines.front());
}

}  // namespace pgrehearse
