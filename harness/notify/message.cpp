#include "harness/notify/message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/report/headline.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

std::string upper_case(std::string_view word) {
  std::string upper(word);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

std::string cause_of(const Diagnosis& diagnosis) {
  const auto finding = code_and_object(diagnosis.code, diagnosis.object);
  if (diagnosis.likely_cause == LikelyCause::none) return finding;
  const auto cause = name_of(diagnosis.likely_cause);
  return finding.empty() ? std::string(cause) : fmt::format("{} ({})", cause, finding);
}

std::vector<Fact> facts_of(const Report& report, std::optional<Verdict> previous) {
  std::vector<Fact> facts;
  const auto add = [&](std::string name, std::string_view value) {
    auto text = printable_on_one_line(value);
    if (!text.empty()) facts.push_back({std::move(name), std::move(text)});
  };
  if (previous) add("Previous drill", name_of(*previous));
  add("Recoverable", report.diagnosis.recoverable);
  if (report.backup) add("Backup", join(in_words(*report.backup), "; "));
  if (report.landing) add("Landing", join(in_words(*report.landing), "; "));
  if (!is_empty(report.rto)) add("RTO", in_words(report.rto));
  if (!is_empty(report.rpo)) add("RPO", in_words(report.rpo));
  add("Run", fmt::format("{} on {}, {}", report.id, report.host, time_in_words(report.started)));
  add("Report", fmt::format("pgrehearse report {}", report.id));
  return facts;
}

}  // namespace

Message message_of(const Scenario& scenario, const Report& report,
                   std::optional<Verdict> previous) {
  const auto verdict = settled_verdict(report);
  const auto& diagnosis = report.diagnosis;
  Message message{.scenario = scenario.name,
                  .stanza = printable(scenario.repository.stanza),
                  .host = printable(report.host),
                  .run_id = report.id,
                  .verdict = verdict,
                  .previous = previous,
                  .code = std::string(text_of(diagnosis.code)),
                  .next_step = printable_on_one_line(diagnosis.next_step),
                  .facts = facts_of(report, previous),
                  .started = report.started,
                  .finished = report.finished.value_or(report.started),
                  .report = to_json(report)};
  message.title =
      fmt::format("{} {}, stanza {}: {}", upper_case(name_of(verdict)), message.scenario,
                  message.stanza, printable_on_one_line(headline(report)));
  if (verdict != Verdict::pass && message.next_step.empty()) {
    message.next_step = "read the report: pgrehearse report " + report.id;
  }
  if (verdict != Verdict::pass) message.cause = printable_on_one_line(cause_of(diagnosis));
  return message;
}

Message test_message(const Scenario& scenario, const std::string& host, Instant now) {
  Report report{
      .id = "test-" + to_iso8601(now).substr(0, 19),
      .scenario = {.name = scenario.name, .file = scenario.file.string(), .hash = scenario.hash},
      .started = now,
      .finished = now,
      .host = host,
      .diagnosis = {.summary = "this is a test of the notification; no drill has run",
                    .next_step = "nothing to do"}};
  std::erase(report.id, ':');
  auto message = message_of(scenario, report);
  message.is_test = true;
  message.title = fmt::format("TEST {}, stanza {}: {}", message.scenario, message.stanza,
                              report.diagnosis.summary);
  message.facts = {{"Sent by", fmt::format("pgrehearse notify test, on {}", message.host)}};
  return message;
}

std::string incident_key(const Message& message) {
  return fmt::format("pgrehearse/{}/{}{}", message.stanza, message.scenario,
                     message.is_test ? "/test" : "");
}

std::string text_of(const Message& message) {
  auto text = message.title + "\n";
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}: {}\n", name, value);
  };
  add("Likely cause", message.cause);
  add("Next step", message.next_step);
  if (!message.facts.empty()) text += "\n";
  for (const auto& fact : message.facts) add(fact.name, fact.value);
  return text;
}

std::string shortened(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  constexpr std::string_view dots = "...";
  auto end = bytes - dots.size();
  // Not inside a character: continuation bytes begin with the bits 10.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end).append(dots);
}

}  // namespace pgrehearse
