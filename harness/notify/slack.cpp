// Slack's incoming webhooks:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
#include <nlohmann/json.hpp>

#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_text = 3000;   // of a section
constexpr std::size_t longest_field = 2000;  // of a field of a section

// Plain text: Slack neither formats it nor finds mentions in it.
Json section(const std::string& text) {
  return {{"type", "section"},
          {"text",
           {{"type", "plain_text"}, {"text", shortened(text, longest_text)}, {"emoji", false}}}};
}

// In the notification text, the only characters with a meaning.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

Json facts_of(const Message& message) {
  Json fields = Json::array();
  for (const auto& fact : message.facts) {
    fields.push_back({{"type", "plain_text"},
                      {"text", shortened(fact.name + ": " + fact.value, longest_field)},
                      {"emoji", false}});
  }
  return {{"type", "section"}, {"fields", std::move(fields)}};
}

}  // namespace

void send_to_slack(const Attempt& attempt) {
  const auto& message = attempt.message;
  Json blocks = Json::array({section(message.title)});
  if (!message.cause.empty()) blocks.push_back(section("Likely cause: " + message.cause));
  if (!message.next_step.empty()) blocks.push_back(section("Next step: " + message.next_step));
  if (!message.facts.empty()) blocks.push_back(facts_of(message));
  const Json body{{"text", escaped(message.title)}, {"blocks", std::move(blocks)}};
  post_json(attempt, attempt.secrets.read("url"), body.dump());
}

}  // namespace pgrehearse
