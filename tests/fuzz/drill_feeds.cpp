#include <fmt/format.h>

#include <sstream>

#include "harness/common/text.hpp"
#include "harness/drill/recovery/recovery_failure.hpp"
#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/report/diagnosis.hpp"
#include "harness/report/report.hpp"
#include "harness/reporting/reporter.hpp"
#include "tests/fuzz/feeding.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {

// Two parts: the file, and one --set.
void feed_scenario(std::string_view input) {
  const auto [text, override] = parts_of<2>(input);
  may_refuse([text = text] { parse(std::string(text)); });
  if (!override.empty()) {
    may_refuse(
        [text = text, override = override] { parse(std::string(text), {std::string(override)}); });
  }
}

// Two parts: the log, and the record of the restore_command wrapper.
void feed_postgres_log(std::string_view input) {
  const auto [text, requests_text] = parts_of<2>(input);
  std::vector<std::string> log;
  for (const auto line : lines_of(text)) log.emplace_back(line);
  const auto requests = parse_wal_requests(requests_text);
  static_cast<void>(replay_end(requests));
  static_cast<void>(decisive_lines(log));
  const auto error = explain_recovery_failure(log, requests, "latest");
  must(error.kind() != ErrorKind::internal, "a log is not the harness's fault");
  static_cast<void>(diagnose_error(error, {}, {}, decisive_lines(log)));
}

void feed_report(std::string_view input) {
  may_refuse([&] {
    const auto report = report_from_json(std::string(input));
    const auto text = to_json(report);
    must(to_json(report_from_json(text)) == text, "a record is read as it was written");
    for (const auto& reporter : reporters()) {
      std::ostringstream out;
      reporter.write(report, {.color = true, .width = 80}, out);
    }
    static_cast<void>(diagnose_checks(report, {}));
  });
}

}  // namespace pgrehearse
