#include "harness/history/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"
#include "harness/history/ledger_columns.hpp"

namespace pgrehearse {

namespace {

constexpr int schema_version = 1;

std::string column_list() {
  std::string list;
  for (const auto& column : ledger_columns()) {
    list += (list.empty() ? "" : ", ") + column.name;
  }
  return list;
}

std::string drills_table() {
  std::string columns;
  for (const auto& column : ledger_columns()) {
    columns += fmt::format("{} {}, ", column.name, column.number ? "bigint" : "text");
  }
  return fmt::format("create table drills ({}entry bigint not null, primary key (id))", columns);
}

std::string lock_of(const std::string& stanza) { return "stanza " + stanza; }

std::string lock_of_drill(const std::string& id) { return "drill " + id; }

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

// The payload of an entry that records a removal: [[1,4],[9,9]] are ranges of sequences.
std::string pruning_line(std::uint64_t sequence, std::size_t drills,
                         std::vector<std::uint64_t> sequences, const Ledger::Removal& removal) {
  std::ranges::sort(sequences);
  std::vector<std::array<std::uint64_t, 2>> ranges;
  for (const auto each : sequences) {
    if (!ranges.empty() && ranges.back()[1] + 1 == each) {
      ranges.back()[1] = each;
    } else {
      ranges.push_back({each, each});
    }
  }
  const nlohmann::ordered_json object = {{"sequence", sequence},
                                         {"entry", "pruned"},
                                         {"host", removal.host},
                                         {"operator", removal.operator_account},
                                         {"at", to_iso8601(removal.at)},
                                         {"drills", drills},
                                         {"removed", ranges}};
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
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

Ledger::Ledger(std::unique_ptr<LedgerDatabase> database) : database_(std::move(database)) {
  const auto version = [&]() -> int {
    const auto rows = database_->query("select max(version) from ledger_version");
    return number_of<int>(rows.text(0, 0));
  };
  database_->write([&] {
    database_->query("create table if not exists ledger_version (version bigint not null)");
    if (version() != 0) return;
    database_->query(drills_table());
    for (const auto* index : {"(started)", "(scenario, started)", "(stanza, started)", "(state)"}) {
      const std::string columns = index;
      std::string name = "drills";
      for (const char letter : columns) {
        if (letter == '(' || letter == ' ') name += '_';
        if (letter >= 'a' && letter <= 'z') name += letter;
      }
      database_->query(fmt::format("create index {} on drills {}", name, columns));
    }
    database_->query(
        "create unique index drills_due on drills (scenario, due, attempt) where due is not null");
    database_->query(
        "create table entries (sequence bigint not null primary key, kind text not null, "
        "drill text, payload text, previous text not null, hash text not null)");
    database_->query(fmt::format("insert into ledger_version values ({})", schema_version));
  });
  if (version() > schema_version) {
    throw Error(ErrorKind::environment,
                fmt::format("the ledger {} was created by a newer pgrehearse (version {} of its "
                            "tables, this program knows {})",
                            database_->description(), version(), schema_version),
                "update pgrehearse on this host");
  }
}

LedgerEntry Ledger::append(const std::string& kind, const std::string& drill,
                           const std::function<std::string(std::uint64_t sequence)>& payload) {
  const auto last =
      database_->query("select sequence, hash from entries order by sequence desc limit 1");
  LedgerEntry entry{.sequence = 1, .kind = kind, .drill = drill, .previous = std::string(64, '0')};
  if (!last.rows.empty()) {
    entry.sequence = number_of<std::uint64_t>(last.text(0, 0)) + 1;
    entry.previous = last.text(0, 1);
  }
  entry.payload = payload(entry.sequence);
  entry.hash = hash_of_entry(entry.previous, entry.payload);
  const std::vector<Field> fields{std::to_string(entry.sequence),
                                  entry.kind,
                                  entry.drill.empty() ? Field() : Field(entry.drill),
                                  entry.payload,
                                  entry.previous,
                                  entry.hash};
  database_->query(
      "insert into entries (sequence, kind, drill, payload, previous, hash) "
      "values ($1, $2, $3, $4, $5, $6)",
      fields);
  return entry;
}

LedgerEntry Ledger::append(const std::string& kind, const LedgerRow& row) {
  auto entry =
      append(kind, row.id, [&](std::uint64_t sequence) { return json_line(row, sequence, kind); });
  save(row, entry.sequence);
  return entry;
}

LedgerEntry Ledger::append_in_transaction(const std::string& kind, const LedgerRow& row) {
  LedgerEntry entry;
  database_->write([&] { entry = append(kind, row); });
  return entry;
}

void Ledger::save(const LedgerRow& row, std::uint64_t sequence) {
  const std::vector<Field> id{row.id};
  database_->query("delete from drills where id = $1", id);
  auto fields = fields_of(row);
  fields.emplace_back(std::to_string(sequence));
  std::string parameters;
  for (std::size_t i = 1; i <= fields.size(); ++i) {
    parameters += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  }
  database_->query(
      fmt::format("insert into drills ({}, entry) values ({})", column_list(), parameters), fields);
}

bool Ledger::start(const LedgerRow& row) {
  bool started = true;
  database_->write([&] {
    if (row.due) {
      const std::vector<Field> due{row.scenario, to_iso8601(*row.due), std::to_string(row.attempt)};
      const auto taken = database_->query(
          "select 1 from drills where scenario = $1 and due = $2 and attempt = $3", due);
      started = taken.rows.empty();
    }
    if (started) append("started", row);
  });
  return started;
}

LedgerEntry Ledger::finish(const LedgerRow& row) {
  return append_in_transaction(std::string(name_of(row.state)), row);
}

LedgerEntry Ledger::import(const LedgerRow& row) { return append_in_transaction("imported", row); }

LedgerEntry Ledger::amend(const LedgerRow& row) { return append_in_transaction("amended", row); }

void Ledger::prune(const std::vector<LedgerRow>& rows, const Removal& removal) {
  database_->write([&] {
    std::vector<std::uint64_t> sequences;
    for (const auto& row : rows) {
      const std::vector<Field> id{row.id};
      for (const auto& found :
           database_->query("select sequence from entries where drill = $1", id).rows) {
        sequences.push_back(number_of<std::uint64_t>(found[0].value_or("")));
      }
      database_->query("update entries set payload = null where drill = $1", id);
      database_->query("delete from drills where id = $1", id);
    }
    append("pruned", "", [&](std::uint64_t sequence) {
      return pruning_line(sequence, rows.size(), sequences, removal);
    });
  });
}

std::unique_ptr<LedgerLock> Ledger::try_lock_stanza(const std::string& stanza) {
  return database_->try_lock(lock_of(stanza));
}

bool Ledger::is_stanza_locked(const std::string& stanza) {
  return database_->is_locked(lock_of(stanza));
}

std::unique_ptr<LedgerLock> Ledger::try_lock_drill(const std::string& id) {
  return database_->try_lock(lock_of_drill(id));
}

std::unique_ptr<LedgerLock> Ledger::try_lock(const std::string& name) {
  return database_->try_lock(name);
}

std::vector<LedgerRow> Ledger::running() {
  auto rows = list({.state = DrillState::running});
  std::set<std::string> seen;
  std::erase_if(rows, [&](const LedgerRow& row) {
    if (database_->is_locked(lock_of_drill(row.id))) return false;
    return !seen.insert(row.stanza).second || !is_stanza_locked(row.stanza);
  });
  return rows;
}

std::vector<LedgerRow> Ledger::record_killed(Instant now) {
  std::vector<LedgerRow> killed;
  for (const auto& candidate : list({.state = DrillState::running})) {
    const auto lock = try_lock_stanza(candidate.stanza);
    if (!lock || database_->is_locked(lock_of_drill(candidate.id))) continue;
    database_->write([&] {
      auto row = find(candidate.id);
      if (!row || row->state != DrillState::running) return;
      row->state = DrillState::killed;
      row->finished = now;
      row->likely_cause = LikelyCause::environment;
      row->diagnosis = "did not finish: the process of the drill was killed";
      append("killed", *row);
      killed.push_back(*row);
    });
  }
  return killed;
}

std::vector<LedgerRow> Ledger::rows_where(const std::string& condition,
                                          std::span<const Field> parameters) {
  const auto found = database_->query(
      fmt::format("select {} from drills {}", column_list(), condition), parameters);
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
  const auto found =
      database_->query(fmt::format("select {}, entry from drills order by id", column_list()));
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

std::string hash_of_entry(const std::string& previous, const std::string& payload) {
  return sha256_of(previous + "\n" + payload + "\n");
}

}  // namespace pgrehearse
