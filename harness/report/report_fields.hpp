// The fields of a report as JSON, stated once for both directions: `visit` calls `fields` with the
// name and the value of each field of a record, in the order of the document. Writing and reading
// are in report_json.cpp and report_from_json.cpp.
#pragma once

#include <concepts>
#include <type_traits>

#include "harness/report/report.hpp"

namespace pgrehearse {

// Record or const Record.
template <typename T, typename Record>
concept Is = std::same_as<std::remove_const_t<T>, Record>;

void visit(auto& fields, Is<TransactionMark> auto& mark) {
  fields("xid", mark.xid);
  fields("lsn", mark.lsn);
  fields("time", mark.time);
}

void visit(auto& fields, Is<Finding> auto& finding) {
  fields("code", finding.code);
  fields.severity("severity", finding);
  fields("object", finding.object);
  fields("message", finding.message);
  fields("hint", finding.hint);
  fields("details", finding.details);
}

void visit(auto& fields, Is<ScenarioRecord> auto& scenario) {
  fields.required("name", scenario.name);
  fields("file", scenario.file);
  fields("hash", scenario.hash);
  fields("seed", scenario.seed);
}

void visit(auto& fields, Is<Diagnosis> auto& diagnosis) {
  fields("summary", diagnosis.summary);
  fields("code", diagnosis.code);
  fields("object", diagnosis.object);
  fields("likely_cause", diagnosis.likely_cause);
  fields("recoverable", diagnosis.recoverable);
  fields("next_step", diagnosis.next_step);
  fields("evidence", diagnosis.evidence);
}

void visit(auto& fields, Is<BackupRecord> auto& backup) {
  fields("label", backup.label);
  fields("type", backup.type);
  fields("reason", backup.reason);
  fields("stanza", backup.stanza);
  fields("repository_key", backup.repository_key);
  fields("postgres_version", backup.postgres_version);
  fields.digits("system_identifier", backup.system_identifier);
  fields("start_time", backup.start_time);
  fields("stop_time", backup.stop_time);
  fields("start_lsn", backup.start_lsn);
  fields("stop_lsn", backup.stop_lsn);
  fields("bytes", backup.bytes);
  fields.unless_empty("databases", backup.databases);
}

void visit(auto& fields, Is<Landing> auto& landing) {
  fields("asked", landing.asked);
  fields("target_time", landing.target_time);
  fields("utc_offset", landing.utc_offset);
  fields("lsn", landing.lsn);
  fields("timeline", landing.timeline);
  fields("time", landing.time);
  fields("last_applied", landing.last_applied);
  fields("first_withheld", landing.first_withheld);
  fields("archive_end", landing.archive_end);
  fields("proved", landing.proved);
  fields("proof", landing.proof);
}

void visit(auto& fields, Is<DumpRecord> auto& dump) {
  fields.required("object", dump.object);
  fields("file", dump.file);
  fields("bytes", dump.bytes);
}

void visit(auto& fields, Is<StopRecord> auto& stop) {
  fields.required("target", stop.target);
  fields("reached", stop.reached);
  fields("landing", stop.landing);
  fields.unless_empty("dumps", stop.dumps);
  fields("copy", stop.copy);
}

void visit(auto& fields, Is<PhaseRecord> auto& phase) {
  fields.required("name", phase.name);
  fields("seconds", phase.seconds);
  fields("bytes", phase.bytes);
  fields("completed", phase.completed);
}

void visit(auto& fields, Is<ObjectiveRecord> auto& objective) {
  fields("objective", objective.objective);
  fields("measured", objective.measured);
  fields("explanation", objective.explanation);
}

void visit(auto& fields, Is<ArchivedBackup> auto& backup) {
  fields("label", backup.label);
  fields("type", backup.type);
  fields("start_time", backup.start_time);
  fields("stop_time", backup.stop_time);
  fields("stop_lsn", backup.stop_lsn);
  fields("usable", backup.usable);
}

void visit(auto& fields, Is<ArchiveRange> auto& range) {
  fields("kind", range.kind);
  fields("begin", range.begin);
  fields("end", range.end);
  fields("begin_time", range.begin_time);
  fields("end_time", range.end_time);
  fields("reason", range.reason);
}

void visit(auto& fields, Is<ArchiveRecord> auto& archive) {
  fields("timeline", archive.timeline);
  fields("listed_at", archive.listed_at);
  fields("backups", archive.backups);
  fields("ranges", archive.ranges);
}

void visit(auto& fields, Is<ComparedTable> auto& table) {
  fields("name", table.name);
  fields("result", table.result);
  fields("coverage", table.coverage);
  fields("expected", table.expected);
  fields("actual", table.actual);
  fields("bytes", table.bytes);
  fields("note", table.note);
}

void visit(auto& fields, Is<ComparisonRecord> auto& comparison) {
  fields("exact", comparison.exact);
  fields("method", comparison.method);
  fields("lsn", comparison.lsn);
  fields("candidates", comparison.candidates);
  fields("explanation", comparison.explanation);
  fields("tables", comparison.tables);
  fields("tables_omitted", comparison.tables_omitted);
}

void visit(auto& fields, Is<CheckRecord> auto& check) {
  fields.required("name", check.name);
  fields("check", check.check);
  fields.required("verdict", check.verdict);
  fields("seconds", check.seconds);
  fields("state", check.state);
  fields("summary", check.summary);
  fields("findings", check.findings);
}

void visit(auto& fields, Is<SandboxRecord> auto& sandbox) {
  fields("type", sandbox.type);
  fields("removed", sandbox.removed);
  fields("kept", sandbox.kept);
  fields("root", sandbox.root);
  fields("removal", sandbox.removal);
  fields("remaining", sandbox.remaining);
  fields("connect", sandbox.connect);
  fields("isolation", sandbox.isolation);
}

void visit(auto& fields, Is<CommandRecord> auto& command) {
  fields("command", command.command);
  fields("exit_code", command.exit_code);
  fields("seconds", command.seconds);
  fields("log", command.log);
}

void visit(auto& fields, Is<Report> auto& report) {
  fields.constant("schema", report.schema);
  fields.required("id", report.id);
  fields.required("scenario", report.scenario);
  fields.required("verdict", report.verdict);
  fields.null_if_empty("error_kind", report.error_kind);
  fields.required("started", report.started);
  fields("finished", report.finished);
  fields("host", report.host);
  fields("diagnosis", report.diagnosis);
  fields("backup", report.backup);
  fields("archive", report.archive);
  fields("landing", report.landing);
  fields.unless_empty("stops", report.stops);
  fields.unless_empty("dumps", report.dumps);
  fields.group("objectives", [&](auto& objectives) {
    objectives("rto", report.rto);
    objectives("rpo", report.rpo);
  });
  fields("comparison", report.comparison);
  fields("phases", report.phases);
  fields("checks", report.checks);
  fields("sandbox", report.sandbox);
  fields("tools", report.tools);
  fields("commands", report.commands);
}

}  // namespace pgrehearse
