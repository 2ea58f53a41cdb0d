#include "harness/serve/schedule_stamps.hpp"

#include <nlohmann/json.hpp>

#include "harness/serve/state_file.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

Json stamp_of(const Schedule& schedule, Instant since) {
  return {
      {"cron", schedule.text().cron}, {"zone", schedule.text().zone}, {"since", to_iso8601(since)}};
}

}  // namespace

std::optional<Instant> ScheduleStamps::stored(const std::string& scenario, const Schedule& schedule,
                                              Instant now) const {
  const auto text = read_state_file(directory_ / (scenario + ".json"));
  const auto stamp = Json::parse(text.value_or(""), nullptr, false);
  if (!stamp.is_object()) return {};
  const auto value = [&](const char* key) {
    const auto found = stamp.find(key);
    return found != stamp.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const auto since = parse_instant(value("since"));
  if (!since || *since > now || value("cron") != schedule.text().cron ||
      value("zone") != schedule.text().zone) {
    return {};
  }
  return since;
}

Instant ScheduleStamps::since(const std::string& scenario, const Schedule& schedule,
                              Instant now) const {
  if (const auto since = stored(scenario, schedule, now)) return *since;
  settle(scenario, schedule, now);
  return now;
}

void ScheduleStamps::settle(const std::string& scenario, const Schedule& schedule,
                            Instant due) const {
  write_state_file(directory_ / (scenario + ".json"), stamp_of(schedule, due).dump() + "\n");
}

}  // namespace pgrehearse
