#include "harness/drill/objectives.hpp"

#include <fmt/format.h>

namespace pgrehearse {

namespace {

std::optional<double> seconds_of(const std::optional<std::chrono::milliseconds>& span) {
  if (!span) return {};
  return Seconds(*span).count();
}

// How many seconds of commits a recovery would lose now.
void measure_rpo(const ObjectiveInput& input, Report& report, std::stop_token stop) {
  auto& rpo = report.rpo;
  const auto& target = input.scenario.target;
  if (!is_time_target(target)) {
    rpo.explanation = "not applicable: the recovery target is not a time";
    return;
  }
  const auto& landing = report.landing;
  if (!landing || !landing->time) {
    rpo.explanation = "no commit time was found before the position where recovery stopped";
    return;
  }
  const auto since = [&](Instant later) {
    return std::max(0.0, Seconds(later - *landing->time).count());
  };
  if (target.type == TargetType::time) {
    rpo.measured = since(*target.time);
    rpo.explanation = "the requested time minus the newest recovered commit";
    return;
  }
  rpo.measured = since(report.started);
  rpo.explanation = "start of the drill minus the newest recovered commit";
  if (input.primary == nullptr) return;
  try {
    if (const auto newest = input.primary->newest_commit(std::move(stop))) {
      rpo.measured = since(std::min(*newest, report.started));
      rpo.explanation =
          "newest commit on the primary before the drill minus the newest recovered commit";
    }
  } catch (const Error&) {
    rpo.explanation += " (the primary could not be reached)";
  }
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
                              .message = record.explanation});
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

void measure_objectives(const ObjectiveInput& input, Report& report, std::stop_token stop) {
  const auto& objectives = input.scenario.objectives;
  report.rto = {.objective = seconds_of(objectives.rto),
                .measured = input.recovery_took.count(),
                .explanation =
                    "from the start of the restore until the instance reached the recovery target"};
  report.rpo.objective = seconds_of(objectives.rpo);
  measure_rpo(input, report, std::move(stop));
  // A drill that completed has always measured its recovery.
  evaluate(
      {.name = "rto", .exceeded = FindingCode::rto_exceeded, .unknown = FindingCode::rto_exceeded},
      report.rto, report);
  evaluate({.name = "rpo",
            .exceeded = FindingCode::rpo_exceeded,
            .unknown = FindingCode::rpo_unknown,
            .applicable = is_time_target(input.scenario.target)},
           report.rpo, report);
}

}  // namespace pgrehearse
