#include "harness/drill/objectives/objectives.hpp"

#include <fmt/format.h>

namespace pgrehearse {

namespace {

std::optional<double> seconds_of(const std::optional<std::chrono::milliseconds>& span) {
  if (!span) return {};
  return Seconds(*span).count();
}

void measure_rpo(const ObjectiveInput& input, Report& report) {
  auto& rpo = report.rpo;
  const auto& limit = input.scenario.objectives.rpo;
  const auto measured = input.loss.measured(limit ? std::optional(Seconds(*limit)) : std::nullopt);
  if (measured) rpo.measured = measured->count();
  rpo.explanation = input.loss.explanation;
}

struct Objective {
  std::string name;
  FindingCode exceeded = FindingCode::none;
  FindingCode unknown = FindingCode::none;
  bool applicable = true;
};

void evaluate(const Objective& objective, const ObjectiveRecord& record, Report& report) {
  if (!record.objective) return;
  CheckRecord check{.name = objective.name, .check = objective.name, .state = "any"};
  if (!objective.applicable) {
    check.verdict = Verdict::skipped;
    check.summary = record.explanation;
  } else if (!record.measured) {
    check.verdict = Verdict::unknown;
    check.summary = "could not be measured";
    check.findings.push_back({.code = objective.unknown,
                              .severity = Severity::unknown,
                              .object = objective.name,
                              .message = record.explanation,
                              .hint = objective.unknown == FindingCode::clock_wrong
                                          ? "compare the clocks of the primary and of this host, "
                                            "and run a time service on both"
                                          : ""});
  } else {
    const bool kept = *record.measured <= *record.objective;
    check.verdict = kept ? Verdict::pass : Verdict::fail;
    check.summary = fmt::format("measured {}, objective {}", to_text(Seconds(*record.measured)),
                                to_text(Seconds(*record.objective)));
    if (!kept) {
      check.findings.push_back(
          {.code = objective.exceeded,
           .object = objective.name,
           .message = fmt::format("measured {}, objective {}", to_text(Seconds(*record.measured)),
                                  to_text(Seconds(*record.objective))),
           .details = {{"measured_seconds", fmt::format("{:.3f}", *record.measured)},
                       {"objective_seconds", fmt::format("{:.3f}", *record.objective)}}});
    }
  }
  report.checks.push_back(std::move(check));
}

}  // namespace

void measure_objectives(const ObjectiveInput& input, Report& report) {
  const auto& objectives = input.scenario.objectives;
  report.rto = {.objective = seconds_of(objectives.rto),
                .measured = input.recovery_took.count(),
                .explanation =
                    "from the start of the restore until the instance reached the recovery target"};
  report.rpo.objective = seconds_of(objectives.rpo);
  measure_rpo(input, report);
  // A drill that completed has always measured its recovery.
  evaluate(
      {.name = "rto", .exceeded = FindingCode::rto_exceeded, .unknown = FindingCode::rto_exceeded},
      report.rto, report);
  evaluate(
      {.name = "rpo",
       .exceeded = FindingCode::rpo_exceeded,
       .unknown = input.loss.clock.empty() ? FindingCode::rpo_unknown : FindingCode::clock_wrong,
       .applicable = input.loss.applicable},
      report.rpo, report);
}

}  // namespace pgrehearse
