#include "harness/serve/metrics/drill_samples.hpp"

#include <array>
#include <optional>

#include "harness/notify/message.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t longest_diagnosis = 300;

double unix_seconds(Instant instant) { return Seconds(instant.time_since_epoch()).count(); }

// Adds samples of one drill.
class DrillSamples {
 public:
  DrillSamples(const LedgerRow& row, MetricSamples& samples)
      : labels_{{"scenario", row.scenario}, {"stanza", printable(row.stanza)}}, samples_(samples) {}

  void add(const char* metric, double value) { samples_.push_back({metric, labels_, value}); }
  void add(const char* metric, std::optional<std::chrono::milliseconds> span) {
    if (span) add(metric, Seconds(*span).count());
  }
  void add(const char* metric, std::optional<Instant> instant) {
    if (instant) add(metric, unix_seconds(*instant));
  }
  void add(const char* metric, std::optional<std::uint64_t> bytes) {
    if (bytes) add(metric, static_cast<double>(*bytes));
  }
  void add(const char* metric, const std::map<std::string, std::string>& more, double value) {
    auto labels = labels_;
    labels.insert(more.begin(), more.end());
    samples_.push_back({metric, std::move(labels), value});
  }

 private:
  std::map<std::string, std::string> labels_;
  MetricSamples& samples_;
};

std::optional<double> rate(std::optional<std::uint64_t> bytes,
                           std::optional<std::chrono::milliseconds> span) {
  if (!bytes || !span || span->count() <= 0) return {};
  return static_cast<double>(*bytes) / Seconds(*span).count();
}

void add_verdict(const LedgerRow& row, DrillSamples& to) {
  for (const auto verdict : {Verdict::pass, Verdict::fail, Verdict::unknown}) {
    to.add("pgrehearse_drill_verdict", {{"verdict", std::string(name_of(verdict))}},
           row.verdict == verdict ? 1 : 0);
  }
  to.add("pgrehearse_drill_info",
         {{"run", row.id},
          {"host", printable(row.host)},
          {"code", row.finding_code},
          {"likely_cause", row.likely_cause == LikelyCause::none
                               ? std::string()
                               : std::string(name_of(row.likely_cause))},
          {"diagnosis", shortened(printable_on_one_line(row.diagnosis), longest_diagnosis)}},
         1);
}

void add_recovery(const LedgerRow& row, DrillSamples& to) {
  to.add("pgrehearse_drill_rto_seconds", row.rto);
  to.add("pgrehearse_drill_rto_objective_seconds", row.rto_objective);
  to.add("pgrehearse_drill_rpo_seconds", row.rpo);
  to.add("pgrehearse_drill_rpo_objective_seconds", row.rpo_objective);
  to.add("pgrehearse_drill_landing_timestamp_seconds", row.landing_time);
  if (row.landing_time) {
    to.add("pgrehearse_drill_landing_age_seconds",
           Seconds(row.started - *row.landing_time).count());
  }
  to.add("pgrehearse_drill_restored_bytes", row.restore_bytes);
  if (const auto value = rate(row.restore_bytes, row.restore_time)) {
    to.add("pgrehearse_drill_restore_bytes_per_second", *value);
  }
  to.add("pgrehearse_drill_replayed_bytes", row.replayed_bytes);
  if (const auto value = rate(row.replayed_bytes, row.recovery_time)) {
    to.add("pgrehearse_drill_replay_bytes_per_second", *value);
  }
  to.add("pgrehearse_drill_backup_stop_timestamp_seconds", row.backup_stopped);
  to.add("pgrehearse_drill_backup_size_bytes", row.backup_bytes);
}

}  // namespace

void add_finished_drill(const LedgerRow& row, MetricSamples& samples) {
  DrillSamples to(row, samples);
  add_verdict(row, to);
  to.add("pgrehearse_drill_start_timestamp_seconds", unix_seconds(row.started));
  to.add("pgrehearse_drill_end_timestamp_seconds", row.finished);
  if (row.finished) {
    to.add("pgrehearse_drill_duration_seconds", Seconds(*row.finished - row.started).count());
  }
  // A phase can occur several times: at each pause point.
  std::map<std::string, double> phases;
  for (const auto& phase : row.phases) phases[phase.name] += Seconds(phase.duration).count();
  for (const auto& [name, seconds] : phases) {
    to.add("pgrehearse_drill_phase_duration_seconds", {{"phase", name}}, seconds);
  }
  add_recovery(row, to);
  for (const auto& [code, count] : row.findings) {
    to.add("pgrehearse_drill_findings", {{"code", code}}, static_cast<double>(count));
  }
}

void add_pass(const LedgerRow& row, MetricSamples& samples) {
  DrillSamples(row, samples).add("pgrehearse_drill_pass_timestamp_seconds", row.finished);
}

void add_running_drill(const LedgerRow& row, MetricSamples& samples) {
  DrillSamples(row, samples)
      .add("pgrehearse_drill_running_start_timestamp_seconds", unix_seconds(row.started));
}

void add_notifications(const LedgerRow& row, std::span<const Outcome> outcomes,
                       MetricSamples& samples) {
  for (const auto& outcome : outcomes) {
    DrillSamples(row, samples)
        .add("pgrehearse_drill_notification_failed", {{"notification", printable(outcome.name)}},
             outcome.delivery == Delivery::failed ? 1 : 0);
  }
}

void add_coverage(std::span<const StanzaCoverage> coverage, MetricSamples& samples) {
  for (const auto& stanza : coverage) {
    const std::map<std::string, std::string> labels{{"stanza", printable(stanza.stanza)}};
    samples.push_back(
        {"pgrehearse_proved_backups", labels, static_cast<double>(stanza.backups.size())});
    if (stanza.ranges.empty()) continue;
    Seconds length{0};
    for (const auto& range : stanza.ranges) length += range.to - range.from;
    samples.push_back({"pgrehearse_proved_range_seconds", labels, length.count()});
    samples.push_back({"pgrehearse_proved_range_end_timestamp_seconds", labels,
                       unix_seconds(stanza.ranges.back().to)});
  }
}

}  // namespace pgrehearse
