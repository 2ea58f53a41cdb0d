// What is read from the ledger.
#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/history/ledger.hpp"
#include "harness/history/ledger_columns.hpp"

namespace pgrehearse {

namespace {

// The conditions of a filter with their parameters.
class Conditions {
 public:
  explicit Conditions(const LedgerFilter& filter) {
    if (filter.scenario) add("scenario = {}", *filter.scenario);
    if (filter.stanza) add("stanza = {}", *filter.stanza);
    if (filter.host) add("host = {}", *filter.host);
    if (filter.state) add("state = {}", std::string(name_of(*filter.state)));
    if (filter.since) add("started >= {}", to_iso8601(*filter.since));
    if (filter.until) add("started < {}", to_iso8601(*filter.until));
    if (filter.verdict) {
      add("verdict = {}", std::string(name_of(*filter.verdict)));
      text_ += " and state <> 'running'";
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::span<const Field> parameters() const { return parameters_; }

 private:
  void add(std::string_view condition, std::string value) {
    parameters_.emplace_back(std::move(value));
    text_ += text_.empty() ? "where " : " and ";
    text_ += fmt::format(fmt::runtime(condition), fmt::format("${}", parameters_.size()));
  }

  std::string text_;
  std::vector<Field> parameters_;
};

std::string newest_first(std::size_t limit) {
  return limit == 0 ? " order by started desc, id desc"
                    : fmt::format(" order by started desc, id desc limit {}", limit);
}

std::optional<LedgerRow> first_of(std::vector<LedgerRow> rows) {
  if (rows.empty()) return {};
  return std::move(rows.front());
}

std::optional<std::uint64_t> number_or_null(const Field& field) {
  if (!field) return {};
  return number_of<std::uint64_t>(*field);
}

std::optional<double> rate(const Field& bytes, const Field& milliseconds) {
  const auto time = number_or_null(milliseconds);
  if (!bytes || !time || *time == 0) return {};
  return static_cast<double>(number_of<std::uint64_t>(*bytes)) * 1000 / static_cast<double>(*time);
}

std::optional<std::chrono::milliseconds> span_of(const Field& field) {
  const auto count = number_or_null(field);
  if (!count) return {};
  return std::chrono::milliseconds(*count);
}

}  // namespace

std::vector<LedgerRow> Ledger::rows_where(const std::string& condition,
                                          std::span<const Field> parameters) {
  const auto found = database_->query(
      fmt::format("select {} from drills {}", ledger_column_list(), condition), parameters);
  std::vector<LedgerRow> rows;
  rows.reserve(found.rows.size());
  for (const auto& fields : found.rows) rows.push_back(row_of(fields));
  return rows;
}

std::vector<LedgerRow> Ledger::list(const LedgerFilter& filter) {
  const Conditions conditions(filter);
  return rows_where(conditions.text() + newest_first(filter.limit), conditions.parameters());
}

std::optional<LedgerRow> Ledger::find(const std::string& id) {
  const std::vector<Field> parameters{id};
  return first_of(rows_where("where id = $1", parameters));
}

std::optional<LedgerRow> Ledger::newest(LedgerFilter filter) {
  filter.limit = 1;
  return first_of(list(filter));
}

std::optional<LedgerRow> Ledger::newest_pass(LedgerFilter filter) {
  filter.verdict = Verdict::pass;
  return newest(std::move(filter));
}

// The newest row of each scenario that fulfils `condition`.
std::vector<LedgerRow> Ledger::newest_by_scenario(const std::string& condition) {
  return rows_where(
      fmt::format("where id in (select max(id) from drills {} group by scenario) order by scenario",
                  condition),
      {});
}

std::vector<LedgerRow> Ledger::newest_of_each_scenario() { return newest_by_scenario(""); }

std::vector<LedgerRow> Ledger::newest_finished_of_each_scenario() {
  return newest_by_scenario("where state <> 'running'");
}

std::vector<LedgerRow> Ledger::newest_pass_of_each_scenario() {
  return newest_by_scenario("where state = 'finished' and verdict = 'pass'");
}

std::optional<LedgerRow> Ledger::last_due(const std::string& scenario) {
  const std::vector<Field> parameters{scenario};
  return first_of(
      rows_where("where scenario = $1 and due is not null order by due desc, attempt desc limit 1",
                 parameters));
}

std::uint64_t Ledger::last_sequence() {
  const auto found = database_->query("select coalesce(max(sequence), 0) from entries");
  return number_of<std::uint64_t>(found.text(0, 0));
}

std::set<std::string> Ledger::ids() {
  std::set<std::string> all;
  for (const auto& row : database_->query("select id from drills").rows) {
    all.insert(row[0].value_or(""));
  }
  return all;
}

std::size_t Ledger::count(const LedgerFilter& filter) {
  const Conditions conditions(filter);
  const auto found =
      database_->query("select count(*) from drills " + conditions.text(), conditions.parameters());
  return number_of<std::size_t>(found.text(0, 0));
}

std::vector<TrendPoint> Ledger::trend(const LedgerFilter& filter) {
  auto finished = filter;
  finished.state = DrillState::finished;
  const Conditions conditions(finished);
  const auto found = database_->query(
      "select id, scenario, stanza, started, verdict, rto_ms, rpo_ms, restore_bytes, restore_ms, "
      "replayed_bytes, recovery_ms, backup_bytes from drills " +
          conditions.text() + newest_first(filter.limit),
      conditions.parameters());
  std::vector<TrendPoint> points;
  points.reserve(found.rows.size());
  for (const auto& row : found.rows) {
    points.push_back({.id = row[0].value_or(""),
                      .scenario = row[1].value_or(""),
                      .stanza = row[2].value_or(""),
                      .started = parse_instant(row[3].value_or("")).value_or(Instant()),
                      .verdict = parse_verdict(row[4].value_or("")).value_or(Verdict::unknown),
                      .rto = span_of(row[5]),
                      .rpo = span_of(row[6]),
                      .restore_rate = rate(row[7], row[8]),
                      .replay_rate = rate(row[9], row[10]),
                      .backup_bytes = number_or_null(row[11])});
  }
  std::ranges::reverse(points);
  return points;
}

std::vector<StanzaCoverage> Ledger::coverage(const std::optional<std::string>& stanza) {
  const Conditions conditions({.stanza = stanza, .verdict = Verdict::pass});
  const auto found = database_->query(
      "select id, stanza, started, repository_key, backup_label, backup_type, backup_stopped, "
      "landing_time from drills " +
          conditions.text() + " and databases is null",
      conditions.parameters());
  std::vector<LedgerRow> passes;
  passes.reserve(found.rows.size());
  for (const auto& row : found.rows) {
    passes.push_back({.id = row[0].value_or(""),
                      .stanza = row[1].value_or(""),
                      .started = parse_instant(row[2].value_or("")).value_or(Instant()),
                      .verdict = Verdict::pass,
                      .repository_key = number_or_null(row[3]),
                      .backup_label = row[4].value_or(""),
                      .backup_type = row[5].value_or(""),
                      .backup_stopped = parse_instant(row[6].value_or("")),
                      .landing_time = parse_instant(row[7].value_or(""))});
  }
  return coverage_of(passes);
}

BackupTrials Ledger::trials(const std::string& stanza) {
  BackupTrials trials;
  for (const auto& row : list({.stanza = stanza})) {
    if (row.backup_label.empty()) continue;
    auto& trial = trials[{static_cast<int>(row.repository_key.value_or(1)), row.backup_label}];
    // Newest first.
    if (!trial.tried) trial.tried = row.started;
    const bool passed =
        row.state == DrillState::finished && row.verdict == Verdict::pass && row.databases.empty();
    if (passed && !trial.passed) trial.passed = row.started;
  }
  return trials;
}

void Ledger::for_each_row(const std::function<void(const LedgerRow&, std::uint64_t)>& visit) {
  const auto found = database_->query(
      fmt::format("select {}, entry from drills order by id", ledger_column_list()));
  for (const auto& fields : found.rows) {
    const auto columns = std::span(fields).first(fields.size() - 1);
    visit(row_of(columns), number_of<std::uint64_t>(fields.back().value_or("")));
  }
}

void Ledger::for_each_entry(const std::function<void(const LedgerEntry&)>& visit) {
  constexpr std::size_t portion = 1000;
  for (std::uint64_t after = 0;;) {
    const auto found = database_->query(
        fmt::format("select sequence, kind, drill, payload, previous, hash from entries "
                    "where sequence > {} order by sequence limit {}",
                    after, portion));
    for (const auto& row : found.rows) {
      after = number_of<std::uint64_t>(row[0].value_or("0"));
      visit({.sequence = after,
             .kind = row[1].value_or(""),
             .drill = row[2].value_or(""),
             .payload = row[3].value_or(""),
             .previous = row[4].value_or(""),
             .hash = row[5].value_or("")});
    }
    if (found.rows.size() < portion) return;
  }
}

}  // namespace pgrehearse
