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

std::string drills_table() {
  std::string columns;
  for (const auto& column : ledger_columns()) {
    columns += fmt::format("{} {}, ", column.name, column.number ? "bigint" : "text");
  }
  return fmt::format("create table drills ({}entry bigint not null, primary key (id))", columns);
}

std::string lock_of(const std::string& stanza) { return "stanza " + stanza; }

std::string lock_of_drill(const std::string& id) { return "drill " + id; }

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
      fmt::format("insert into drills ({}, entry) values ({})", ledger_column_list(), parameters),
      fields);
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

std::string hash_of_entry(const std::string& previous, const std::string& payload) {
  return sha256_of(previous + "\n" + payload + "\n");
}

}  // namespace pgrehearse
