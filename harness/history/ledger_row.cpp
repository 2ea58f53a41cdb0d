#include "harness/history/ledger_row.hpp"

#include <algorithm>
#include <cmath>

#include "harness/report/headline.hpp"

namespace pgrehearse {

namespace {

using std::chrono::milliseconds;

constexpr std::array<std::pair<DrillState, std::string_view>, 3> state_names = {{
    {DrillState::running, "running"},
    {DrillState::finished, "finished"},
    {DrillState::killed, "killed"},
}};

std::optional<milliseconds> rounded(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds)) return {};
  return milliseconds(std::llround(*seconds * 1000));
}

void set_backup(LedgerRow& row, const BackupRecord& backup) {
  row.stanza = backup.stanza.empty() ? row.stanza : backup.stanza;
  row.repository_key = static_cast<std::uint64_t>(std::max(backup.repository_key, 1));
  row.backup_label = backup.label;
  row.backup_type = backup.type;
  row.backup_started = backup.start_time;
  row.backup_stopped = backup.stop_time;
  row.backup_bytes = backup.bytes;
  row.backup_start_lsn = backup.start_lsn ? to_text(*backup.start_lsn) : "";
}

void set_landing(LedgerRow& row, const Report& report) {
  if (!report.landing) return;
  const auto& landing = *report.landing;
  row.target = landing.asked;
  row.landing_lsn = landing.lsn ? to_text(*landing.lsn) : "";
  row.landing_timeline = landing.timeline;
  row.landing_time = landing.time;
  const auto from = report.backup ? report.backup->start_lsn : std::nullopt;
  if (landing.lsn && from && *landing.lsn >= *from) {
    row.replayed_bytes = landing.lsn->value - from->value;
  }
}

void set_phases(LedgerRow& row, const std::vector<PhaseRecord>& phases) {
  row.phases.clear();
  milliseconds replay{0};
  for (const auto& phase : phases) {
    const auto duration = rounded(phase.seconds).value_or(milliseconds(0));
    row.phases.push_back({.name = phase.name, .duration = duration, .bytes = phase.bytes});
    if (phase.name == "restore" && phase.completed) {
      row.restore_time = duration;
      row.restore_bytes = phase.bytes;
    }
    if (phase.name.starts_with("recover")) replay += duration;
  }
  if (replay.count() > 0) row.recovery_time = replay;
}

}  // namespace

std::string_view name_of(DrillState state) {
  return std::ranges::find(state_names, state, &std::pair<DrillState, std::string_view>::first)
      ->second;
}

std::optional<DrillState> parse_drill_state(std::string_view name) {
  for (const auto& [state, text] : state_names) {
    if (text == name) return state;
  }
  return {};
}

void set_results(LedgerRow& row, const Report& report) {
  if (report.finished) row.state = DrillState::finished;
  row.finished = report.finished;
  row.verdict = settled_verdict(report);
  row.likely_cause = report.diagnosis.likely_cause;
  row.finding_code = text_of(report.diagnosis.code);
  row.diagnosis = headline(report);
  row.seed = report.scenario.seed;
  if (report.backup) set_backup(row, *report.backup);
  set_landing(row, report);
  row.rto = rounded(report.rto.measured);
  row.rto_objective = rounded(report.rto.objective);
  row.rpo = rounded(report.rpo.measured);
  row.rpo_objective = rounded(report.rpo.objective);
  set_phases(row, report.phases);
  row.findings.clear();
  for (const auto& check : report.checks) {
    for (const auto& finding : check.findings) ++row.findings[std::string(text_of(finding.code))];
  }
  const bool compared = !report.comparison.method.empty() && report.comparison.method != "none";
  row.comparison = !compared ? "" : report.comparison.exact ? "exact" : "approximate";
  row.sandbox_type = report.sandbox.type;
}

}  // namespace pgrehearse
