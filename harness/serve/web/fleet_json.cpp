#include "harness/serve/web/fleet_json.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "harness/report/forecast.hpp"
#include "harness/serve/web/web_json.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_points = 30;

// What belongs to one stanza.
struct StanzaFacts {
  std::string name;
  std::set<std::string> scenarios;
  std::vector<const TrendPoint*> points;  // oldest first
  const LedgerRow* last = nullptr;
  const LedgerRow* last_pass = nullptr;
  const LedgerRow* running = nullptr;
  const StanzaCoverage* coverage = nullptr;
  const std::vector<std::string>* backups = nullptr;
  std::vector<const ScheduledScenario*> scheduled;
};

void keep_newer(const LedgerRow*& kept, const LedgerRow& row) {
  if (kept == nullptr || row.started > kept->started) kept = &row;
}

std::map<std::string, StanzaFacts> by_stanza(const FleetFacts& facts) {
  std::map<std::string, StanzaFacts> stanzas;
  const auto of = [&](const std::string& name) -> StanzaFacts& {
    auto& stanza = stanzas[name];
    stanza.name = name;
    return stanza;
  };
  for (const auto& point : facts.points) {
    auto& stanza = of(point.stanza);
    stanza.scenarios.insert(point.scenario);
    stanza.points.push_back(&point);
  }
  for (const auto& row : facts.newest) keep_newer(of(row.stanza).last, row);
  for (const auto& row : facts.newest_pass) keep_newer(of(row.stanza).last_pass, row);
  for (const auto& row : facts.running) keep_newer(of(row.stanza).running, row);
  for (const auto& coverage : facts.coverage) of(coverage.stanza).coverage = &coverage;
  for (const auto& [name, labels] : facts.backups) of(name).backups = &labels;
  if (facts.scheduler) {
    for (const auto& scenario : facts.scheduler->scenarios) {
      auto& stanza = of(scenario.stanza);
      stanza.scenarios.insert(scenario.name);
      stanza.scheduled.push_back(&scenario);
    }
  }
  // A drill that ended before its backup was selected may have no stanza.
  stanzas.erase("");
  return stanzas;
}

Json last_json(const LedgerRow* row) {
  if (row == nullptr) return {};
  return {{"id", row->id},
          {"scenario", row->scenario},
          {"verdict", std::string(name_of(row->verdict))},
          {"started", to_iso8601(row->started)},
          {"finished", json_of(row->finished)},
          {"diagnosis", row->diagnosis},
          {"likely_cause", std::string(name_of(row->likely_cause))}};
}

Json objective_json(const LedgerRow* row,
                    std::optional<std::chrono::milliseconds> LedgerRow::*measured,
                    std::optional<std::chrono::milliseconds> LedgerRow::*objective) {
  if (row == nullptr) return {{"measured", Json()}, {"objective", Json()}};
  return {{"measured", json_of(row->*measured)}, {"objective", json_of(row->*objective)}};
}

// [started, verdict, RTO, RPO, id], oldest first.
Json history_json(const std::vector<const TrendPoint*>& points) {
  auto history = Json::array();
  const auto first = points.size() > most_points ? points.size() - most_points : 0;
  for (std::size_t i = first; i < points.size(); ++i) {
    const auto& point = *points[i];
    history.push_back({to_iso8601(point.started), std::string(name_of(point.verdict)),
                       json_of(point.rto), json_of(point.rpo), point.id});
  }
  return history;
}

Json forecast_json(const StanzaFacts& stanza, Instant now) {
  std::vector<PastRecovery> past;
  for (const auto* point : stanza.points) {
    if (point->verdict != Verdict::pass || !point->rto) continue;
    const auto bytes = point->backup_bytes
                           ? std::optional(static_cast<double>(*point->backup_bytes))
                           : std::nullopt;
    past.push_back({.at = point->started, .rto = Seconds(*point->rto).count(), .bytes = bytes});
  }
  const auto* newest = stanza.last_pass;
  const auto objective = newest != nullptr && newest->rto_objective
                             ? std::optional(Seconds(*newest->rto_objective).count())
                             : std::nullopt;
  const auto forecast = forecast_rto(past, objective, now);
  return {{"seconds", forecast.seconds ? Json(*forecast.seconds) : Json()},
          {"low", forecast.low},
          {"high", forecast.high},
          {"basis", forecast.basis},
          {"bytes_per_day", forecast.bytes_per_day ? Json(*forecast.bytes_per_day) : Json()},
          {"exceeded", json_of(forecast.exceeded)},
          {"earliest", json_of(forecast.earliest)},
          {"latest", json_of(forecast.latest)}};
}

std::set<std::string> proved_labels(const StanzaFacts& stanza) {
  std::set<std::string> labels;
  if (stanza.coverage == nullptr) return labels;
  for (const auto& backup : stanza.coverage->backups) labels.insert(backup.label);
  return labels;
}

Json coverage_json(const StanzaFacts& stanza) {
  const auto proved = proved_labels(stanza);
  if (stanza.backups == nullptr) return {{"proved", proved.size()}, {"backups", Json()}};
  const auto listed = std::ranges::count_if(
      *stanza.backups, [&](const auto& label) { return proved.contains(label); });
  return {{"proved", listed}, {"backups", stanza.backups->size()}};
}

Json schedule_json(const StanzaFacts& stanza) {
  auto json = Json::array();
  for (const auto* scenario : stanza.scheduled) {
    json.push_back({{"name", scenario->name},
                    {"next", json_of(scenario->next_start)},
                    {"waiting_for", scenario->waiting_for},
                    {"running", scenario->running ? Json(scenario->running->run_id) : Json()}});
  }
  return json;
}

std::optional<Instant> next_start(const StanzaFacts& stanza) {
  std::optional<Instant> next;
  for (const auto* scenario : stanza.scheduled) {
    if (scenario->next_start && (!next || *scenario->next_start < *next)) {
      next = scenario->next_start;
    }
  }
  return next;
}

Json summary_json(const StanzaFacts& stanza, Instant now) {
  return {{"name", stanza.name},
          {"scenarios", stanza.scenarios},
          {"last", last_json(stanza.last)},
          {"last_pass", last_json(stanza.last_pass)},
          {"running", last_json(stanza.running)},
          {"rto", objective_json(stanza.last, &LedgerRow::rto, &LedgerRow::rto_objective)},
          {"rpo", objective_json(stanza.last, &LedgerRow::rpo, &LedgerRow::rpo_objective)},
          {"history", history_json(stanza.points)},
          {"coverage", coverage_json(stanza)},
          {"next", json_of(next_start(stanza))},
          {"restore_now", forecast_json(stanza, now)}};
}

// Lower is shown first.
auto urgency_of(const StanzaFacts& stanza) {
  const int rank = stanza.last_pass == nullptr             ? 0
                   : stanza.last == nullptr                ? 3
                   : stanza.last->verdict == Verdict::fail ? 1
                   : stanza.last->verdict == Verdict::pass ? 3
                                                           : 2;
  const auto proved = stanza.last_pass == nullptr ? Instant{} : stanza.last_pass->started;
  return std::tuple(rank, proved, stanza.name);
}

Json errors_json(const FleetFacts& facts) {
  auto errors = Json::array();
  if (!facts.scheduler) return errors;
  for (const auto& error : facts.scheduler->errors) {
    errors.push_back({{"file", error.file.string()},
                      {"messages", error.messages},
                      {"in_force", error.previous_version_of}});
  }
  return errors;
}

}  // namespace

Json fleet_json(const FleetFacts& facts) {
  const auto stanzas = by_stanza(facts);
  std::vector<const StanzaFacts*> ordered;
  for (const auto& [name, stanza] : stanzas) ordered.push_back(&stanza);
  std::ranges::sort(ordered, {}, [](const auto* stanza) { return urgency_of(*stanza); });
  auto list = Json::array();
  for (const auto* stanza : ordered) list.push_back(summary_json(*stanza, facts.now));
  return {{"at", to_iso8601(facts.now)},
          {"host", facts.scheduler ? facts.scheduler->host : ""},
          {"stopping", facts.scheduler && facts.scheduler->stopping},
          {"errors", errors_json(facts)},
          {"stanzas", list}};
}

Json stanza_json(const FleetFacts& facts, const std::string& name) {
  const auto stanzas = by_stanza(facts);
  const auto found = stanzas.find(name);
  if (found == stanzas.end()) return {};
  const auto& stanza = found->second;
  auto json = summary_json(stanza, facts.now);
  json["schedule"] = schedule_json(stanza);
  auto proved = Json::array();
  auto ranges = Json::array();
  if (stanza.coverage != nullptr) {
    for (const auto& backup : stanza.coverage->backups) {
      proved.push_back({{"label", backup.label},
                        {"type", backup.type},
                        {"stopped", json_of(backup.stopped)},
                        {"last_proved", to_iso8601(backup.last_proved)},
                        {"last_drill", backup.last_drill},
                        {"passes", backup.passes}});
    }
    for (const auto& range : stanza.coverage->ranges) {
      ranges.push_back({{"from", to_iso8601(range.from)},
                        {"to", to_iso8601(range.to)},
                        {"last_proved", to_iso8601(range.last_proved)}});
    }
  }
  json["proved_backups"] = proved;
  json["proved_ranges"] = ranges;
  auto never = Json::array();
  if (stanza.backups != nullptr) {
    const auto labels = proved_labels(stanza);
    for (const auto& label : *stanza.backups) {
      if (!labels.contains(label)) never.push_back(label);
    }
  }
  json["never_proved"] = never;
  return json;
}

}  // namespace pgrehearse
