#include "harness/reporting/phrases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "harness/common/text.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

// Joins those that are not empty: "a, b".
std::string listed(std::vector<std::string> parts, std::string_view separator = ", ") {
  std::erase(parts, "");
  return join(parts, separator);
}

std::string mark_in_words(std::string_view what, const TransactionMark& mark,
                          std::chrono::minutes utc_offset) {
  return fmt::format("{} {}{}", what, mark.xid,
                     mark.time ? " at " + to_text(*mark.time, utc_offset) : "");
}

}  // namespace

std::string duration_in_words(double seconds) {
  auto text = to_text(Seconds(seconds));
  for (const std::string_view nothing : {" 0s", " 0min", " 0h"}) {
    if (text.ends_with(nothing)) text.resize(text.size() - nothing.size());
  }
  return text;
}

std::string time_in_words(Instant instant, std::chrono::minutes utc_offset) {
  return to_text(std::chrono::floor<std::chrono::seconds>(instant), utc_offset);
}

std::chrono::minutes utc_offset_of(const Report& report) {
  return std::chrono::minutes(report.landing ? report.landing->utc_offset : 0);
}

std::vector<std::string> in_words(const BackupRecord& backup, std::chrono::minutes utc_offset) {
  const auto facts =
      listed({backup.type, backup.bytes > 0 ? to_text(Bytes{backup.bytes}) : "",
              backup.postgres_version.empty() ? "" : "PostgreSQL " + backup.postgres_version});
  const auto why =
      listed({backup.stop_time ? "ended " + time_in_words(*backup.stop_time, utc_offset) : "",
              backup.reason},
             "; ");
  std::vector<std::string> lines{backup.label + (facts.empty() ? "" : " (" + facts + ")"), why};
  std::erase(lines, "");
  return lines;
}

std::vector<std::string> in_words(const Landing& landing) {
  const std::string place =
      landing.lsn ? to_text(*landing.lsn) +
                        (landing.timeline ? fmt::format(" on timeline {}", *landing.timeline) : "")
                  : "unknown position";
  const std::chrono::minutes utc_offset(landing.utc_offset);
  std::vector<std::string> lines{
      listed({landing.time ? time_in_words(*landing.time, utc_offset) : "", place,
              landing.proved ? "proved" : "not proved"}),
      listed({landing.asked.empty() ? "" : "target " + landing.asked, landing.proof}, "; "),
      listed({landing.last_applied
                  ? mark_in_words("last applied transaction", *landing.last_applied, utc_offset)
                  : "",
              landing.first_withheld
                  ? mark_in_words("first withheld transaction", *landing.first_withheld, utc_offset)
                  : ""})};
  std::erase(lines, "");
  return lines;
}

std::string in_words(const ComparisonRecord& comparison) {
  // A comparison without an exact snapshot has no method, but a position.
  const bool method = !comparison.method.empty() && comparison.method != "none";
  if (!method && !comparison.lsn) {
    return listed({"content not compared", comparison.explanation}, ": ");
  }
  return listed({fmt::format("{}{}{}", comparison.exact ? "exact" : "approximate",
                             comparison.lsn ? " at " + to_text(*comparison.lsn) : "",
                             method ? " (" + comparison.method + ")" : ""),
                 comparison.explanation},
                ": ");
}

std::string in_words(const SandboxRecord& sandbox) {
  if (sandbox.kept) return listed({sandbox.type, "kept in " + sandbox.root});
  if (sandbox.removed) return listed({sandbox.type, "removed"});
  const auto remaining = join(sandbox.remaining, ", ");
  return listed({sandbox.type, remaining.empty() ? "not removed" : "not removed: " + remaining});
}

ObjectiveState state_of(const ObjectiveRecord& objective) {
  if (!objective.objective) return ObjectiveState::none;
  if (!objective.measured) return ObjectiveState::unknown;
  return *objective.measured <= *objective.objective ? ObjectiveState::met : ObjectiveState::missed;
}

std::string in_words(const ObjectiveRecord& objective) {
  const auto limit = objective.objective ? duration_in_words(*objective.objective) : std::string{};
  switch (state_of(objective)) {
    case ObjectiveState::met:
      return fmt::format("{} (objective {}): met", duration_in_words(*objective.measured), limit);
    case ObjectiveState::missed:
      return fmt::format("{} (objective {}): missed", duration_in_words(*objective.measured),
                         limit);
    case ObjectiveState::unknown:
      return listed({fmt::format("not measured (objective {})", limit), objective.explanation},
                    ": ");
    case ObjectiveState::none:
      break;
  }
  if (objective.measured) return duration_in_words(*objective.measured) + " (no objective)";
  return listed({"not measured", objective.explanation}, ": ");
}

bool is_empty(const ObjectiveRecord& objective) {
  return !objective.objective && !objective.measured && objective.explanation.empty();
}

std::vector<CheckRecord> in_order_of_urgency(const std::vector<CheckRecord>& checks) {
  std::vector<CheckRecord> ordered;
  for (const auto verdict : {Verdict::fail, Verdict::unknown, Verdict::pass, Verdict::skipped}) {
    std::ranges::copy_if(checks, std::back_inserter(ordered),
                         [verdict](const auto& check) { return check.verdict == verdict; });
  }
  return ordered;
}

std::string counts_in_words(const std::vector<CheckRecord>& checks) {
  constexpr std::array<std::pair<Verdict, std::string_view>, 4> words{
      {{Verdict::pass, "passed"},
       {Verdict::fail, "failed"},
       {Verdict::unknown, "unknown"},
       {Verdict::skipped, "skipped"}}};
  std::vector<std::string> parts;
  for (const auto& [verdict, word] : words) {
    const auto count =
        std::count_if(checks.begin(), checks.end(),
                      [wanted = verdict](const CheckRecord& c) { return c.verdict == wanted; });
    if (count > 0) parts.push_back(fmt::format("{} {}", count, word));
  }
  return parts.empty() ? "none" : join(parts, ", ");
}

std::string volume_in_words(const PhaseRecord& phase) {
  if (!phase.bytes) return {};
  auto text = to_text(Bytes{*phase.bytes});
  if (phase.seconds >= 1) {
    const auto rate = static_cast<double>(*phase.bytes) / phase.seconds;
    text += ", " + to_text(Bytes{static_cast<std::uint64_t>(rate)}) + "/s";
  }
  return text;
}

std::string in_words(const std::vector<PhaseRecord>& phases) {
  double total = 0;
  for (const auto& phase : phases) total += phase.seconds;
  std::vector<std::string> parts;
  int others = 0;
  double rest = 0;
  for (const auto& phase : phases) {
    if (phase.completed && phase.seconds < total * 0.05) {
      ++others;
      rest += phase.seconds;
      continue;
    }
    const auto volume = volume_in_words(phase);
    const auto rate = volume.find(", ");
    parts.push_back(fmt::format(
        "{} {}{}", phase.name, phase.completed ? duration_in_words(phase.seconds) : "not done",
        rate == std::string::npos ? "" : " (" + volume.substr(rate + 2) + ")"));
  }
  if (others > 0) {
    parts.push_back(
        fmt::format("{} {} {}", others, others == 1 ? "other" : "others", duration_in_words(rest)));
  }
  return join(parts, ", ");
}

std::string details_in_words(const Finding& finding) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : finding.details)
    parts.push_back(fmt::format("{} {}", name, value));
  return join(parts, ", ");
}

std::string code_and_object(FindingCode code, std::string_view object) {
  return listed({std::string(text_of(code)), printable(object)}, " ");
}

}  // namespace pgrehearse
