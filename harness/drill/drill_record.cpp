#include "harness/drill/drill_record.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "harness/common/throw_if_stopped.hpp"
#include "harness/map/recovery_map.hpp"
#include "harness/report/archive_record.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

// The backups and WAL of the same cluster and repository, for the report's picture.
ArchiveRecord archive_around(const Preparation& preparation) {
  const auto& chosen = preparation.choice->backup;
  std::vector<Backup> backups;
  std::ranges::copy_if(preparation.list.backups, std::back_inserter(backups),
                       [&](const Backup& backup) {
                         return backup.database_id == chosen.database_id &&
                                backup.repository_key == chosen.repository_key;
                       });
  return archive_record(map_archive(backups, preparation.archive), preparation.lineage->timeline);
}

}  // namespace

DrillRecord::DrillRecord(const Scenario& scenario, const DrillServices& services)
    : services_(services),
      run_(services.store.create(scenario.name, services.run_id)),
      checks_requested_(!scenario.checks.empty()) {
  services.commands.log_into(run_.logs());
  report.id = services.run_id;
  report.scenario = {.name = scenario.name, .file = scenario.file.string(), .hash = scenario.hash};
  report.started = services.now();
  report.host = services.host;
  report.sandbox.type = scenario.sandbox.type;
  const bool compared = std::ranges::any_of(
      scenario.checks, [](const auto& request) { return request.check == "comparison"; });
  report.comparison = {.method = "none",
                       .explanation = compared ? "the check `comparison` compared nothing"
                                               : "the check `comparison` was not requested"};
  report.tools["pgrehearse"] = services.version;
  report.diagnosis.summary = "the drill has not finished";
  constexpr std::size_t past_drills = 5;
  expected_ = expected_phases(
      services.store.newest_passed(scenario.name, scenario.repository.stanza, past_drills));
  if (!scenario.stored_text.empty()) run_.save_scenario(scenario.stored_text);
  run_.save(report);
  services.progress.drill_started(report);
}

void DrillRecord::prepared(const Preparation& preparation, const RepositorySpec& repository) {
  const auto& [backup, reason] = *preparation.choice;
  report.scenario.seed = preparation.seed;
  report.tools["backup tool"] = preparation.tool_version;
  report.tools["PostgreSQL binaries"] = preparation.programs;
  report.backup = {.label = backup.label,
                   .type = std::string(name_of(backup.type)),
                   .reason = reason,
                   .stanza = repository.stanza,
                   .repository_key = backup.repository_key,
                   .postgres_version = backup.postgres_version,
                   .system_identifier = backup.system_identifier,
                   .start_time = backup.start_time,
                   .stop_time = backup.stop_time,
                   .start_lsn = backup.start_lsn,
                   .stop_lsn = backup.stop_lsn,
                   .bytes = backup.size.count,
                   .databases = repository.databases};
  report.archive = archive_around(preparation);
}

void DrillRecord::phase(const std::string& name, const std::stop_token& stop,
                        const std::function<void()>& action) {
  throw_if_stopped(stop);
  services_.progress.phase_started(name, expectation_of(name));
  const auto at = report.phases.size();
  report.phases.push_back({.name = name});
  const auto began = Clock::now();
  const auto end = [&](bool completed) {
    auto& record = report.phases[at];
    record.seconds = Seconds(Clock::now() - began).count();
    record.completed = completed;
    services_.progress.phase_finished(record);
    save();
  };
  try {
    action();
  } catch (...) {
    end(false);
    throw;
  }
  end(true);
}

PhaseExpectation DrillRecord::expectation_of(const std::string& name) const {
  PhaseExpectation expectation;
  if (expected_.empty()) return expectation;
  Seconds later{0};
  for (const auto& phase : expected_) {
    if (phase.name == name) {
      expectation.phase = Seconds(phase.seconds);
    } else if (std::ranges::none_of(report.phases,
                                    [&](const auto& done) { return done.name == phase.name; })) {
      later += Seconds(phase.seconds);
    }
  }
  expectation.later_phases = later;
  return expectation;
}

void DrillRecord::add(std::vector<FinishedCheck> checks) {
  for (auto& finished : checks) {
    // Of several comparisons, one that compared something.
    if (finished.comparison && !report.comparison.lsn) {
      report.comparison = std::move(*finished.comparison);
    }
    report.checks.push_back(std::move(finished.record));
  }
}

void DrillRecord::save() {
  report.commands = services_.commands.records();
  try {
    run_.save(report);
    unsaved_.reset();
  } catch (const Error& error) {
    // The drill goes on, and its report is still printed.
    if (!unsaved_) spdlog::error("the report could not be saved: {}", error.what());
    unsaved_ = error;
  }
}

std::vector<Verdict> DrillRecord::verdicts() const {
  std::vector<Verdict> verdicts;
  for (const auto& done : report.checks) verdicts.push_back(done.verdict);
  return verdicts;
}

void DrillRecord::conclude(const std::optional<RecoverableWindow>& window) {
  report.verdict = worst_of(verdicts());
  report.diagnosis = diagnose_checks(report, window);
  if (!checks_requested_ && report.verdict == Verdict::pass) {
    report.diagnosis.summary =
        "nothing but recovery and start was verified: the scenario has no checks";
  }
}

void DrillRecord::give_up(const Failure& failure, const std::optional<RecoverableWindow>& window) {
  if (failure.interrupted && services_.timed_out && services_.timed_out()) {
    const auto phase = report.phases.empty() ? std::string() : report.phases.back().name;
    const Error late(
        ErrorKind::environment, fmt::format("the drill timed out in phase '{}'", phase),
        "see the last command in the report; raise --timeout", FindingCode::env_timeout, phase);
    return give_up({.error = late, .planned = failure.planned, .evidence = failure.evidence},
                   window);
  }
  const auto& error = failure.error;
  const auto kind = failure.interrupted ? ErrorKind::interrupted : error.kind();
  report.error_kind = name_of(kind);
  const Error classified(kind, error.what(), error.hint(), error.code(), error.object());
  report.diagnosis = diagnose_error(classified, report, window, failure.evidence);
  auto all = verdicts();
  all.push_back(verdict_of(kind).value_or(Verdict::unknown));
  report.verdict = worst_of(all);
  for (const auto& planned : failure.planned) skip(planned, error);
}

void DrillRecord::skip(const PlannedCheck& planned, const Error& error) {
  const bool done =
      std::any_of(report.checks.begin(), report.checks.end(),
                  [&](const auto& record) { return record.name == planned.request.name; });
  if (done) return;
  report.checks.push_back({.name = planned.request.name,
                           .check = planned.request.check,
                           .verdict = Verdict::skipped,
                           .state = std::string(name_of(planned.state)),
                           .summary = fmt::format("not reached: {}", error.what())});
}

// The evidence of a drill is its report in the run directory.
void DrillRecord::report_unsaved(const Error& error) {
  const auto line = fmt::format("the report could not be saved: {}", error.what());
  if (report.verdict != Verdict::pass) {
    report.diagnosis.evidence.push_back(line);
    return;
  }
  report.verdict = Verdict::unknown;
  report.diagnosis = {.summary = line,
                      .code = FindingCode::env_state,
                      .object = error.object(),
                      .likely_cause = LikelyCause::environment,
                      .next_step = error.hint()};
}

void DrillRecord::finish() {
  report.finished = services_.now();
  save();
  if (unsaved_) report_unsaved(*unsaved_);
  services_.progress.drill_finished(report);
}

}  // namespace pgrehearse
