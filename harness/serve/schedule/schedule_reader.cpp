#include "harness/serve/schedule/schedule_reader.hpp"

#include <fmt/format.h>

#include "harness/common/time_zone.hpp"

namespace pgrehearse {

namespace {

constexpr std::chrono::milliseconds most_jitter = std::chrono::hours{24};

// Of a character of the value, where the file shows it as it is.
SourcePosition position_in(const YamlNode& value, std::size_t offset) {
  auto position = value.position;
  if (value.text != value.written || position.line == 0) return position;
  position.column += static_cast<int>(offset) + (value.quoted ? 1 : 0);
  return position;
}

std::optional<CronExpression> read_cron(const YamlNode& value, std::vector<ScenarioError>& errors) {
  auto parsed = parse_cron(value.text);
  if (const auto* expression = std::get_if<CronExpression>(&parsed)) return *expression;
  const auto& problem = std::get<CronProblem>(parsed);
  errors.push_back({position_in(value, problem.offset), fmt::format("'cron': {}", problem.message),
                    problem.hint});
  return {};
}

const date::time_zone* read_zone(const YamlNode& value, std::vector<ScenarioError>& errors) {
  const auto* zone = find_time_zone(value.text);
  if (zone != nullptr) return zone;
  const auto similar = similar_time_zone(value.text);
  errors.push_back({value.position, fmt::format("'zone': unknown time zone '{}'", value.written),
                    similar.empty() ? "for example Europe/Berlin or UTC; `timedatectl "
                                      "list-timezones` lists them all"
                                    : fmt::format("did you mean '{}'?", similar)});
  return nullptr;
}

}  // namespace

std::optional<Schedule> read_schedule(const YamlNode& node, const Settings& settings,
                                      const std::string& name, std::vector<ScenarioError>& errors) {
  std::optional<CronExpression> expression;
  if (settings.has("schedule.cron")) expression = read_cron(node.find("cron")->value, errors);
  const auto* zone = settings.has("schedule.zone") ? read_zone(node.find("zone")->value, errors)
                                                   : &host_time_zone();
  const auto jitter =
      settings.get_or<std::chrono::milliseconds>("schedule.jitter", std::chrono::milliseconds{0});
  if (jitter > most_jitter) {
    errors.push_back({node.find("jitter")->value.position, "'jitter' is longer than a day",
                      "for example jitter: 10min"});
    return {};
  }
  if (!expression || zone == nullptr) return {};
  return Schedule(*expression, *zone,
                  {.cron = settings.get_or<std::string>("schedule.cron", ""), .jitter = jitter},
                  name);
}

}  // namespace pgrehearse
