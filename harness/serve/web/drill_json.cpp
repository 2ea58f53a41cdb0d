#include "harness/serve/web/drill_json.hpp"

#include "harness/serve/web/web_json.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(); }

}  // namespace

Json drill_json(const LedgerRow& row) {
  auto phases = Json::array();
  for (const auto& phase : row.phases) {
    phases.push_back({{"name", phase.name},
                      {"seconds", Seconds(phase.duration).count()},
                      {"bytes", json_of(phase.bytes)}});
  }
  return {{"id", row.id},
          {"scenario", row.scenario},
          {"stanza", row.stanza},
          {"host", row.host},
          {"operator", row.operator_account},
          {"version", row.program_version},
          {"state", std::string(name_of(row.state))},
          {"verdict", std::string(name_of(row.verdict))},
          {"likely_cause", std::string(name_of(row.likely_cause))},
          {"finding", row.finding_code},
          {"diagnosis", row.diagnosis},
          {"target", row.target},
          {"started", to_iso8601(row.started)},
          {"finished", json_of(row.finished)},
          {"due", json_of(row.due)},
          {"backup",
           {{"label", row.backup_label},
            {"type", row.backup_type},
            {"stopped", json_of(row.backup_stopped)},
            {"bytes", json_of(row.backup_bytes)}}},
          {"landing",
           {{"lsn", row.landing_lsn},
            {"timeline", json_of(row.landing_timeline)},
            {"time", json_of(row.landing_time)}}},
          {"rto", {{"measured", json_of(row.rto)}, {"objective", json_of(row.rto_objective)}}},
          {"rpo", {{"measured", json_of(row.rpo)}, {"objective", json_of(row.rpo_objective)}}},
          {"phases", phases},
          {"comparison", row.comparison},
          {"sandbox", row.sandbox_type},
          {"record_sha256", row.record_hash},
          {"manifest_sha256", row.manifest_hash},
          {"scenario_sha256", row.scenario_hash}};
}

}  // namespace pgrehearse
