#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/report/report.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

double rounded(double seconds) {
  return std::isfinite(seconds) ? std::round(seconds * 1000) / 1000 : 0;
}

Json json_of(Instant instant) { return to_iso8601(instant); }
Json json_of(Lsn lsn) { return to_text(lsn); }
Json json_of(std::uint32_t number) { return number; }
Json json_of(std::uint64_t number) { return number; }
// What was not measured is absent, never nought.
Json json_of(double seconds) { return std::isfinite(seconds) ? Json(rounded(seconds)) : Json(); }
Json json_of(const std::string& text) { return text; }

Json json_of(const TransactionMark& mark);
Json json_of(const Finding& finding);
Json json_of(const PhaseRecord& phase);
Json json_of(const CheckRecord& check);
Json json_of(const CommandRecord& command);

template <typename T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}

template <typename T>
Json json_of(const std::vector<T>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(json_of(value));
  return array;
}

Json json_of(const std::map<std::string, std::string>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = value;
  return object;
}

Json json_of(const TransactionMark& mark) {
  return {{"xid", mark.xid}, {"lsn", json_of(mark.lsn)}, {"time", json_of(mark.time)}};
}

Json json_of(const Finding& finding) {
  return {{"code", finding.code},
          {"object", finding.object},
          {"message", finding.message},
          {"hint", finding.hint},
          {"details", json_of(finding.details)}};
}

Json json_of(const ScenarioRecord& scenario) {
  return {{"name", scenario.name}, {"file", scenario.file}, {"hash", scenario.hash}};
}

Json json_of(const Diagnosis& diagnosis) {
  return {{"summary", diagnosis.summary},
          {"code", diagnosis.code},
          {"object", diagnosis.object},
          {"blame", diagnosis.blame},
          {"recoverable", diagnosis.recoverable},
          {"next_step", diagnosis.next_step},
          {"evidence", json_of(diagnosis.evidence)}};
}

Json json_of(const BackupRecord& backup) {
  return {{"label", backup.label},
          {"type", backup.type},
          {"reason", backup.reason},
          {"stanza", backup.stanza},
          {"repository_key", backup.repository_key},
          {"postgres_version", backup.postgres_version},
          // A text: most JSON readers lose digits of a 64-bit number.
          {"system_identifier", std::to_string(backup.system_identifier)},
          {"start_time", json_of(backup.start_time)},
          {"stop_time", json_of(backup.stop_time)},
          {"start_lsn", json_of(backup.start_lsn)},
          {"stop_lsn", json_of(backup.stop_lsn)},
          {"bytes", backup.bytes}};
}

Json json_of(const Landing& landing) {
  return {{"asked", landing.asked},
          {"lsn", json_of(landing.lsn)},
          {"timeline", json_of(landing.timeline)},
          {"time", json_of(landing.time)},
          {"last_applied", json_of(landing.last_applied)},
          {"first_withheld", json_of(landing.first_withheld)},
          {"archive_end", json_of(landing.archive_end)},
          {"proved", landing.proved},
          {"proof", landing.proof}};
}

Json json_of(const PhaseRecord& phase) {
  return {{"name", phase.name},
          {"seconds", rounded(phase.seconds)},
          {"bytes", json_of(phase.bytes)},
          {"completed", phase.completed}};
}

Json json_of(const ObjectiveRecord& objective) {
  return {{"objective", json_of(objective.objective)},
          {"measured", json_of(objective.measured)},
          {"explanation", objective.explanation}};
}

Json json_of(const ComparisonRecord& comparison) {
  return {{"exact", comparison.exact},
          {"method", comparison.method},
          {"lsn", json_of(comparison.lsn)},
          {"candidates", comparison.candidates},
          {"explanation", comparison.explanation}};
}

Json json_of(const CheckRecord& check) {
  return {{"name", check.name},
          {"check", check.check},
          {"verdict", std::string(name_of(check.verdict))},
          {"seconds", rounded(check.seconds)},
          {"state", check.state},
          {"summary", check.summary},
          {"findings", json_of(check.findings)}};
}

Json json_of(const SandboxRecord& sandbox) {
  return {{"type", sandbox.type},
          {"removed", sandbox.removed},
          {"kept", sandbox.kept},
          {"root", sandbox.root},
          {"removal", json_of(sandbox.removal)},
          {"remaining", json_of(sandbox.remaining)},
          {"connect", sandbox.connect}};
}

Json json_of(const CommandRecord& command) {
  return {{"command", command.command},
          {"exit_code", command.exit_code},
          {"seconds", rounded(command.seconds)},
          {"log", command.log}};
}

}  // namespace

std::string to_json(const Report& report) {
  const Json document{{"schema", report.schema},
                      {"id", report.id},
                      {"scenario", json_of(report.scenario)},
                      {"verdict", std::string(name_of(report.verdict))},
                      {"error_kind", report.error_kind.empty() ? Json() : Json(report.error_kind)},
                      {"started", json_of(report.started)},
                      {"finished", json_of(report.finished)},
                      {"host", report.host},
                      {"diagnosis", json_of(report.diagnosis)},
                      {"backup", report.backup ? json_of(*report.backup) : Json()},
                      {"landing", report.landing ? json_of(*report.landing) : Json()},
                      {"objectives", {{"rto", json_of(report.rto)}, {"rpo", json_of(report.rpo)}}},
                      {"comparison", json_of(report.comparison)},
                      {"phases", json_of(report.phases)},
                      {"checks", json_of(report.checks)},
                      {"sandbox", json_of(report.sandbox)},
                      {"tools", json_of(report.tools)},
                      {"commands", json_of(report.commands)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pgrehearse
