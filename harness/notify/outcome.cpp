#include "harness/notify/outcome.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Hidden: the files of the drill itself are final before its notifications are sent.
constexpr std::string_view file_name = ".notifications.json";
constexpr std::string_view schema = "pgrehearse.notifications/1";
constexpr std::array all_deliveries{Delivery::sent, Delivery::failed, Delivery::not_due};

Json json_of(std::span<const Outcome> outcomes) {
  Json list = Json::array();
  for (const auto& outcome : outcomes) {
    list.push_back({{"channel", outcome.channel},
                    {"name", outcome.name},
                    {"delivery", name_of(outcome.delivery)},
                    {"attempts", outcome.attempts},
                    {"seconds", outcome.seconds},
                    {"reason", outcome.reason}});
  }
  return list;
}

Outcome outcome_of(const Json& json) {
  Outcome outcome{.channel = json.at("channel").get<std::string>(),
                  .name = json.at("name").get<std::string>(),
                  .attempts = json.at("attempts").get<int>(),
                  .seconds = json.at("seconds").get<double>(),
                  .reason = json.at("reason").get<std::string>()};
  for (const auto delivery : all_deliveries) {
    if (json.at("delivery") == name_of(delivery)) outcome.delivery = delivery;
  }
  return outcome;
}

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot write '{}': {}", path.string(), std::generic_category().message(errno)),
      "free disk space there", FindingCode::env_state, path.string());
}

}  // namespace

std::string_view name_of(Delivery delivery) {
  switch (delivery) {
    case Delivery::sent:
      return "sent";
    case Delivery::failed:
      return "failed";
    case Delivery::not_due:
      return "not due";
  }
  return "failed";
}

std::string to_json(std::span<const Outcome> outcomes) { return json_of(outcomes).dump(2) + "\n"; }

void save_outcomes(std::span<const Outcome> outcomes, const fs::path& run_directory) {
  const auto target = run_directory / file_name;
  const auto part = run_directory / ".notifications.json.part";
  const Json record{{"schema", schema}, {"notifications", json_of(outcomes)}};
  errno = 0;
  std::ofstream out(part, std::ios::trunc);
  out << record.dump(2) << '\n';
  out.close();
  if (out.fail() || std::rename(part.c_str(), target.c_str()) != 0) refuse(target);
}

std::vector<Outcome> load_outcomes(const fs::path& run_directory) try {
  std::ifstream in(run_directory / file_name);
  std::vector<Outcome> outcomes;
  if (!in.is_open()) return outcomes;
  const auto record = Json::parse(in);
  for (const auto& json : record.at("notifications")) outcomes.push_back(outcome_of(json));
  return outcomes;
} catch (const Json::exception&) {
  return {};
}

}  // namespace pgrehearse
