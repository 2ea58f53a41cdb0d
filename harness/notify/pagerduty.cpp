// PagerDuty's Events API v2: https://developer.pagerduty.com/docs/send-alert-event
#include <nlohmann/json.hpp>

#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_summary = 1024;

Json payload_of(const Message& message) {
  Json details{{"verdict", name_of(message.verdict)}};
  if (!message.cause.empty()) details["likely cause"] = message.cause;
  if (!message.next_step.empty()) details["next step"] = message.next_step;
  for (const auto& fact : message.facts) details[fact.name] = fact.value;
  const auto* severity = message.is_test                    ? "info"
                         : message.verdict == Verdict::fail ? "critical"
                                                            : "warning";
  Json payload{{"summary", shortened(message.title, longest_summary)},
               {"source", message.host},
               {"severity", severity},
               {"timestamp", to_iso8601(message.finished)},
               {"component", message.stanza},
               {"group", message.scenario},
               {"custom_details", std::move(details)}};
  if (!message.code.empty()) payload["class"] = message.code;
  return payload;
}

void send_event(const Attempt& attempt, std::string_view action) {
  const auto& message = attempt.message;
  Json event{{"routing_key", attempt.secrets.read("routing_key")},
             {"event_action", action},
             {"dedup_key", incident_key(message)},
             {"client", "pgrehearse"}};
  // Also when it resolves an incident, for which the API does not require it.
  event["payload"] = payload_of(message);
  post_json(
      attempt,
      attempt.spec.settings.get_or<std::string>("url", "https://events.pagerduty.com/v2/enqueue"),
      event.dump());
}

}  // namespace

void send_to_pagerduty(const Attempt& attempt) {
  if (attempt.message.verdict == Verdict::pass) return send_event(attempt, "resolve");
  send_event(attempt, "trigger");
  // A test leaves no incident open.
  if (attempt.message.is_test) send_event(attempt, "resolve");
}

}  // namespace pgrehearse
