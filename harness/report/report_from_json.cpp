#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

// One JSON object and the path that leads to it, for messages. A key that is absent or null leaves
// the record's default, so that records of older releases stay readable.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value_.is_object()) wrong(path_, "an object");
  }

  void read(const char* key, std::string& into) const {
    if (const auto* found = find(key)) into = text(*found, path_of(key));
  }
  void read(const char* key, bool& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) wrong(path_of(key), "true or false");
    into = found->get<bool>();
  }
  void read(const char* key, double& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number()) wrong(path_of(key), "a number");
    into = found->get<double>();
  }
  template <std::integral Number>
  void read(const char* key, Number& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    const bool fits =
        found->is_number_unsigned()
            ? std::in_range<Number>(found->get<std::uint64_t>())
            : found->is_number_integer() && std::in_range<Number>(found->get<std::int64_t>());
    if (!fits) wrong(path_of(key), "a whole number within its range");
    into = found->get<Number>();
  }
  void read(const char* key, Instant& into) const {
    if (const auto* found = find(key)) {
      const auto instant = parse_instant(text(*found, path_of(key)));
      if (!instant) wrong(path_of(key), "a time in ISO 8601");
      into = *instant;
    }
  }
  void read(const char* key, Lsn& into) const {
    if (const auto* found = find(key)) {
      const auto lsn = parse_lsn(text(*found, path_of(key)));
      if (!lsn) wrong(path_of(key), "a WAL position");
      into = *lsn;
    }
  }
  void read(const char* key, Verdict& into) const {
    if (const auto* found = find(key)) {
      const auto verdict = parse_verdict(text(*found, path_of(key)));
      if (!verdict) wrong(path_of(key), "pass, fail, unknown or skipped");
      into = *verdict;
    }
  }
  void read(const char* key, std::map<std::string, std::string>& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_object()) wrong(path_of(key), "an object");
    for (const auto& [name, value] : found->items()) into[name] = text(value, path_of(key));
  }
  void read(const char* key, std::vector<std::string>& into) const {
    each(key, [&](const Json& item, const std::string& path) { into.push_back(text(item, path)); });
  }
  // A 64-bit number that is written as text.
  void read_digits(const char* key, std::uint64_t& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    const auto digits = text(*found, path_of(key));
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failure != std::errc{} || end != digits.data() + digits.size()) {
      wrong(path_of(key), "a number written as text");
    }
  }
  template <typename T>
  void read(const char* key, std::optional<T>& into) const {
    if (find(key) != nullptr) read(key, into.emplace());
  }
  template <typename Record>
  requires requires(const Node& node, Record& record) { fill(node, record); }
  void read(const char* key, Record& into) const {
    if (const auto* found = find(key)) fill(Node(*found, path_of(key)), into);
  }
  template <typename Record>
  void read(const char* key, std::vector<Record>& into) const {
    each(key, [&](const Json& item, const std::string& path) {
      fill(Node(item, path), into.emplace_back());
    });
  }
  void require(const char* key) const {
    if (find(key) == nullptr) wrong(path_of(key), "there");
  }

 private:
  [[noreturn]] static void wrong(const std::string& path, std::string_view wanted) {
    const auto what = path.empty() ? std::string("report") : fmt::format("report key '{}'", path);
    throw Error(ErrorKind::usage, fmt::format("{} is not {}", what, wanted),
                "is this a report of pgrehearse, and complete?");
  }
  static std::string text(const Json& value, const std::string& path) {
    if (!value.is_string()) wrong(path, "a text");
    return value.get<std::string>();
  }
  [[nodiscard]] std::string path_of(const char* key) const {
    return path_.empty() ? key : path_ + "." + key;
  }
  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  template <typename Action>
  void each(const char* key, Action action) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) wrong(path_of(key), "a list");
    for (std::size_t i = 0; i < found->size(); ++i) {
      action((*found)[i], fmt::format("{}[{}]", path_of(key), i));
    }
  }

  const Json& value_;
  std::string path_;
};

void fill(const Node& node, TransactionMark& mark) {
  node.read("xid", mark.xid);
  node.read("lsn", mark.lsn);
  node.read("time", mark.time);
}

void fill(const Node& node, Finding& finding) {
  node.read("code", finding.code);
  node.read("object", finding.object);
  node.read("message", finding.message);
  node.read("hint", finding.hint);
  node.read("details", finding.details);
}

void fill(const Node& node, ScenarioRecord& scenario) {
  node.require("name");
  node.read("name", scenario.name);
  node.read("file", scenario.file);
  node.read("hash", scenario.hash);
}

void fill(const Node& node, Diagnosis& diagnosis) {
  node.read("summary", diagnosis.summary);
  node.read("code", diagnosis.code);
  node.read("object", diagnosis.object);
  node.read("blame", diagnosis.blame);
  node.read("recoverable", diagnosis.recoverable);
  node.read("next_step", diagnosis.next_step);
  node.read("evidence", diagnosis.evidence);
}

void fill(const Node& node, BackupRecord& backup) {
  node.read("label", backup.label);
  node.read("type", backup.type);
  node.read("reason", backup.reason);
  node.read("stanza", backup.stanza);
  node.read("repository_key", backup.repository_key);
  node.read("postgres_version", backup.postgres_version);
  node.read_digits("system_identifier", backup.system_identifier);
  node.read("start_time", backup.start_time);
  node.read("stop_time", backup.stop_time);
  node.read("start_lsn", backup.start_lsn);
  node.read("stop_lsn", backup.stop_lsn);
  node.read("bytes", backup.bytes);
}

void fill(const Node& node, Landing& landing) {
  node.read("asked", landing.asked);
  node.read("lsn", landing.lsn);
  node.read("timeline", landing.timeline);
  node.read("time", landing.time);
  node.read("last_applied", landing.last_applied);
  node.read("first_withheld", landing.first_withheld);
  node.read("archive_end", landing.archive_end);
  node.read("proved", landing.proved);
  node.read("proof", landing.proof);
}

void fill(const Node& node, PhaseRecord& phase) {
  node.require("name");
  node.read("name", phase.name);
  node.read("seconds", phase.seconds);
  node.read("bytes", phase.bytes);
  node.read("completed", phase.completed);
}

void fill(const Node& node, ObjectiveRecord& objective) {
  node.read("objective", objective.objective);
  node.read("measured", objective.measured);
  node.read("explanation", objective.explanation);
}

// The two objectives stand together in the document, apart in the record.
struct Objectives {
  ObjectiveRecord rto;
  ObjectiveRecord rpo;
};

void fill(const Node& node, Objectives& objectives) {
  node.read("rto", objectives.rto);
  node.read("rpo", objectives.rpo);
}

void fill(const Node& node, ComparisonRecord& comparison) {
  node.read("exact", comparison.exact);
  node.read("method", comparison.method);
  node.read("lsn", comparison.lsn);
  node.read("candidates", comparison.candidates);
  node.read("explanation", comparison.explanation);
}

void fill(const Node& node, CheckRecord& check) {
  node.require("name");
  node.require("verdict");
  node.read("name", check.name);
  node.read("check", check.check);
  node.read("verdict", check.verdict);
  node.read("seconds", check.seconds);
  node.read("state", check.state);
  node.read("summary", check.summary);
  node.read("findings", check.findings);
}

void fill(const Node& node, SandboxRecord& sandbox) {
  node.read("type", sandbox.type);
  node.read("removed", sandbox.removed);
  node.read("kept", sandbox.kept);
  node.read("root", sandbox.root);
  node.read("removal", sandbox.removal);
  node.read("remaining", sandbox.remaining);
  node.read("connect", sandbox.connect);
}

void fill(const Node& node, CommandRecord& command) {
  node.read("command", command.command);
  node.read("exit_code", command.exit_code);
  node.read("seconds", command.seconds);
  node.read("log", command.log);
}

void fill(const Node& node, Report& report) {
  const std::string expected = report.schema;
  for (const auto* key : {"schema", "id", "scenario", "verdict", "started"}) node.require(key);
  node.read("schema", report.schema);
  if (report.schema != expected) {
    throw Error(ErrorKind::usage,
                fmt::format("report key 'schema' is '{}', not '{}'", report.schema, expected),
                "another release of pgrehearse wrote it");
  }
  node.read("id", report.id);
  node.read("scenario", report.scenario);
  node.read("verdict", report.verdict);
  node.read("error_kind", report.error_kind);
  node.read("started", report.started);
  node.read("finished", report.finished);
  node.read("host", report.host);
  node.read("diagnosis", report.diagnosis);
  node.read("backup", report.backup);
  node.read("landing", report.landing);
  node.read("comparison", report.comparison);
  node.read("phases", report.phases);
  node.read("checks", report.checks);
  node.read("sandbox", report.sandbox);
  node.read("tools", report.tools);
  node.read("commands", report.commands);
  Objectives objectives;
  node.read("objectives", objectives);
  report.rto = objectives.rto;
  report.rpo = objectives.rpo;
}

}  // namespace

Report report_from_json(const std::string& text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw Error(ErrorKind::usage, "report is not complete JSON",
                "a drill that was killed while it wrote, or another kind of file");
  }
  Report report;
  fill(Node(document, ""), report);
  return report;
}

}  // namespace pgrehearse
