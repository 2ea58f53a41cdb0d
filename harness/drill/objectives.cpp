#include "harness/drill/objectives.hpp"

#include <fmt/format.h>

namespace pgrehearse {

namespace {

std::optional<double> seconds_of(const std::optional<std::chrono::milliseconds>& span) {
  if (!span) return {};
  return Seconds(*span).count();
}

// How much work a recovery now would lose.
void measure_rpo(const ObjectiveInput& input, Report& report, std::stop_token stop) {
  auto& rpo = report.rpo;
  const auto& landing = report.landing;
  if (!landing || !landing->time) {
    rpo.explanation = "no transaction with a commit time was found before the landing";
    return;
  }
  const auto since = [&](Instant later) {
    return std::max(0.0, Seconds(later - *landing->time).count());
  };
  const auto& target = input.scenario.target;
  if (target.type == TargetType::time) {
    rpo.measured = since(*target.time);
    rpo.explanation = "the time asked for minus the newest commit that came back";
    return;
  }
  if (target.type != TargetType::latest) {
    rpo.explanation = "measured for latest and for a point in time only";
    return;
  }
  rpo.measured = since(report.started);
  rpo.explanation = "start of the drill minus the newest commit that came back";
  if (input.primary == nullptr) return;
  try {
    if (const auto newest = input.primary->newest_commit(std::move(stop))) {
      rpo.measured = since(std::min(*newest, report.started));
      rpo.explanation =
          "newest commit of the primary before the drill minus the newest that came back";
    }
  } catch (const Error&) {
    rpo.explanation += " (the primary could not be asked)";
  }
}

void judge(const std::string& name, const std::string& code, const ObjectiveRecord& record,
           Report& report) {
  if (!record.objective) return;
  CheckRecord check{.name = name, .check = name, .state = "any"};
  if (!record.measured) {
    check.verdict = Verdict::unknown;
    check.findings.push_back({.code = code, .object = name, .message = record.explanation});
  } else if (*record.measured <= *record.objective) {
    check.verdict = Verdict::pass;
  } else {
    check.verdict = Verdict::fail;
    check.findings.push_back(
        {.code = code,
         .object = name,
         .message =
             fmt::format("measured {}, the objective is {}", to_text(Seconds(*record.measured)),
                         to_text(Seconds(*record.objective))),
         .details = {{"measured_seconds", fmt::format("{:.3f}", *record.measured)},
                     {"objective_seconds", fmt::format("{:.3f}", *record.objective)}}});
  }
  check.summary = record.measured
                      ? fmt::format("measured {}, objective {}", to_text(Seconds(*record.measured)),
                                    to_text(Seconds(*record.objective)))
                      : "could not be measured";
  report.checks.push_back(std::move(check));
}

}  // namespace

void measure_objectives(const ObjectiveInput& input, Report& report, std::stop_token stop) {
  const auto& objectives = input.scenario.objectives;
  report.rto = {
      .objective = seconds_of(objectives.rto),
      .measured = input.recovery_took.count(),
      .explanation = "from the start of the restore until the instance was at its target"};
  report.rpo.objective = seconds_of(objectives.rpo);
  measure_rpo(input, report, std::move(stop));
  judge("rto", "PGR-RTO-EXCEEDED", report.rto, report);
  judge("rpo", "PGR-RPO-EXCEEDED", report.rpo, report);
}

}  // namespace pgrehearse
