#include <nlohmann/json.hpp>

#include "harness/reporting/formats.hpp"

namespace pgrehearse {

void write_json(const Report& report, const RenderOptions& /*options*/, std::ostream& out) {
  out << to_json(report);
}

void write_json(const SeveralDrills& drills, std::ostream& out) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& report : drills.reports) {
    list.push_back(nlohmann::ordered_json::parse(to_json(report)));
  }
  for (const auto& scenario : drills.not_run) {
    list.push_back({{"schema", "pgrehearse.not_run/1"},
                    {"scenario", {{"name", scenario.scenario}}},
                    {"verdict", name_of(Verdict::unknown)},
                    {"reason", scenario.reason}});
  }
  out << list.dump(2) << '\n';
}

}  // namespace pgrehearse
