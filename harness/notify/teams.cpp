// An adaptive card for a Microsoft Teams workflow:
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
#include <nlohmann/json.hpp>

#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_text = 2000;  // the whole card may have 28 kB

// A run of text is shown as it is; the text of other elements is Markdown.
Json paragraph(const std::string& text, const Json& style = Json::object()) {
  Json run{{"type", "TextRun"}, {"text", shortened(text, longest_text)}};
  run.update(style);
  return {{"type", "RichTextBlock"}, {"inlines", Json::array({std::move(run)})}};
}

const char* color_of(const Message& message) {
  if (message.is_test) return "accent";
  return message.verdict == Verdict::pass   ? "good"
         : message.verdict == Verdict::fail ? "attention"
                                            : "warning";
}

}  // namespace

void send_to_teams(const Attempt& attempt) {
  const auto& message = attempt.message;
  Json lines =
      Json::array({paragraph(message.title, {{"weight", "bolder"}, {"color", color_of(message)}})});
  if (!message.cause.empty()) lines.push_back(paragraph("Likely cause: " + message.cause));
  if (!message.next_step.empty()) lines.push_back(paragraph("Next step: " + message.next_step));
  for (const auto& fact : message.facts) {
    lines.push_back(paragraph(fact.name + ": " + fact.value, {{"isSubtle", true}}));
  }
  const Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                  {"type", "AdaptiveCard"},
                  {"version", "1.4"},
                  {"msteams", {{"width", "Full"}}},
                  {"body", std::move(lines)}};
  const Json body{
      {"type", "message"},
      {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                    {"contentUrl", nullptr},
                                    {"content", card}}})}};
  post_json(attempt, attempt.secrets.read("url"), body.dump());
}

}  // namespace pgrehearse
