// Alertmanager's API v2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/http/base64.hpp"
#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr std::string_view failed = "PgrehearseDrillFailed";
constexpr std::string_view unknown = "PgrehearseDrillUnknown";

// Its labels are the same in each drill: a later drill extends or resolves the same alert.
Json alert(const Message& message, std::string_view name, Instant ends) {
  Json annotations{{"summary", message.title}};
  if (!message.cause.empty()) annotations["likely_cause"] = message.cause;
  if (!message.next_step.empty()) annotations["next_step"] = message.next_step;
  for (const auto& fact : message.facts) {
    if (fact.name == "Recoverable") annotations["recoverable"] = fact.value;
    if (fact.name == "Run") annotations["run"] = fact.value;
  }
  Json labels{{"alertname", name},
              {"severity", name == failed ? "critical" : "warning"},
              {"scenario", message.scenario},
              {"stanza", message.stanza}};
  if (message.is_test) labels["test"] = "true";
  return {{"labels", std::move(labels)},
          {"annotations", std::move(annotations)},
          {"startsAt", to_iso8601(message.started)},
          {"endsAt", to_iso8601(ends)}};
}

std::vector<std::string> authorization(const Attempt& attempt) {
  const auto username = attempt.spec.settings.get_or<std::string>("username", "");
  if (username.empty()) return {};
  const auto password = attempt.secrets.read("password");
  return {"Authorization: Basic " + attempt.secrets.also(base64(username + ":" + password))};
}

}  // namespace

void send_to_alertmanager(const Attempt& attempt) {
  const auto& message = attempt.message;
  const auto& settings = attempt.spec.settings;
  // An end before the beginning is invalid.
  const auto resolved = std::max(message.finished, message.started + 1s);
  const auto lasting =
      message.finished +
      (message.is_test ? 5min : settings.get_or<std::chrono::milliseconds>("ends_after", 24h * 8));
  Json alerts = Json::array();
  switch (message.verdict) {
    case Verdict::pass:
      alerts.push_back(alert(message, failed, resolved));
      alerts.push_back(alert(message, unknown, resolved));
      break;
    case Verdict::fail:
      alerts.push_back(alert(message, failed, lasting));
      alerts.push_back(alert(message, unknown, resolved));
      break;
    case Verdict::unknown:
    case Verdict::skipped:
      // An earlier failure remains: nothing proves that it is gone.
      alerts.push_back(alert(message, unknown, lasting));
      break;
  }
  auto url = settings.get_or<std::string>("url", "");
  while (url.ends_with('/')) url.pop_back();
  post_json(attempt, url + "/api/v2/alerts", alerts.dump(), authorization(attempt));
}

}  // namespace pgrehearse
