// The columns of a ledger row, stated once: `visit` calls `fields` with the name and the value of
// each. They are the columns of the table `drills`, the keys of an entry of the chain and of
// `history --format json`.
#pragma once

#include <concepts>
#include <type_traits>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

template <typename Row>
requires std::same_as<std::remove_const_t<Row>, LedgerRow>
void visit(auto& fields, Row& row) {
  fields("id", row.id);
  fields("scenario", row.scenario);
  fields("stanza", row.stanza);
  fields("host", row.host);
  fields("process", row.process);
  fields("operator", row.operator_account);
  fields("program_version", row.program_version);
  fields("program_checksum", row.program_checksum);
  fields("started", row.started);
  fields("due", row.due);
  fields("attempt", row.attempt);
  fields("state", row.state);
  fields("finished", row.finished);
  fields("verdict", row.verdict);
  fields("likely_cause", row.likely_cause);
  fields("finding_code", row.finding_code);
  fields("diagnosis", row.diagnosis);
  fields("target", row.target);
  fields("databases", row.databases);
  fields("seed", row.seed);
  fields("repository_key", row.repository_key);
  fields("backup_label", row.backup_label);
  fields("backup_type", row.backup_type);
  fields("backup_started", row.backup_started);
  fields("backup_stopped", row.backup_stopped);
  fields("backup_bytes", row.backup_bytes);
  fields("backup_start_lsn", row.backup_start_lsn);
  fields("landing_lsn", row.landing_lsn);
  fields("landing_timeline", row.landing_timeline);
  fields("landing_time", row.landing_time);
  fields("replayed_bytes", row.replayed_bytes);
  fields("rto_ms", row.rto);
  fields("rto_objective_ms", row.rto_objective);
  fields("rpo_ms", row.rpo);
  fields("rpo_objective_ms", row.rpo_objective);
  fields("restore_ms", row.restore_time);
  fields("restore_bytes", row.restore_bytes);
  fields("recovery_ms", row.recovery_time);
  fields("phases", row.phases);
  fields("findings", row.findings);
  fields("comparison", row.comparison);
  fields("sandbox_type", row.sandbox_type);
  fields("directory", row.directory);
  fields("record_hash", row.record_hash);
  fields("manifest_hash", row.manifest_hash);
  fields("scenario_hash", row.scenario_hash);
}

}  // namespace pgrehearse
