// The contents of one database at one snapshot: its catalog, its sequences and the content of its
// relations. Taken by capture.hpp, written by fingerprint_file.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

// One object of the catalog. Two catalogs are equal when their lists are equal.
struct CatalogEntry {
  std::string kind;        // "table", "function", "grant", "role", ...
  std::string identity;    // "sales.orders", quoted where SQL needs it
  std::string definition;  // a JSON object; bodies and expressions as md5
};

// Sequences are not transactional: WAL has a position ahead of the last value returned, never
// before it (docs/decisions/0051).
struct SequenceReading {
  std::int64_t last_value = 0;
  std::int64_t logged_ahead = 0;  // values already logged in WAL (log_cnt)
  bool called = false;
  std::uint32_t file_node = 0;
  auto operator<=>(const SequenceReading&) const = default;
};

struct SequenceState {
  std::string name;
  std::int64_t increment = 1;
  bool cycles = false;
  // Read just before and just after the snapshot was taken; absent: not found or not readable.
  std::optional<SequenceReading> before;
  std::optional<SequenceReading> after;
  std::string error;
  bool locked = false;  // the error is a lock timeout
};

// How much of a relation's content is known.
enum class Coverage {
  full,     // rows counted and hashed
  sampled,  // the same for the blocks selected by TABLESAMPLE
  counted,  // rows counted
  none,
};
std::string_view name_of(Coverage coverage);
std::optional<Coverage> parse_coverage(std::string_view name);

// Why a relation's content was not read. Causes up to `rewritten` are by design or by choice.
enum class Uncovered {
  no,
  unlogged,     // empty after recovery
  foreign,      // the data is elsewhere
  unpopulated,  // a materialized view without data
  excluded,     // by the scenario
  rewritten,    // truncated, rewritten or dropped while the fingerprint was taken
  budget,       // limit of time, snapshot age, standby lag, disk or memory exceeded
  permission,
  locked,
  failed,
};
std::string_view name_of(Uncovered cause);
std::optional<Uncovered> parse_uncovered(std::string_view name);
// Whether it should have been compared: permission, time or a lock was missing.
bool is_gap(Uncovered cause);

struct RelationContent {
  std::string name;  // "sales.orders", quoted where SQL needs it
  std::string hash;  // sum of the rows' 64-bit hashes, decimal; empty: no rows, or not hashed
  // Columns that the role may not read; the others are hashed.
  std::vector<std::string> withheld;
  std::string error;
  std::int64_t rows = 0;
  std::int64_t pages = 0;
  std::uint32_t oid = 0;
  std::uint32_t file_node = 0;
  Coverage coverage = Coverage::full;
  Uncovered cause = Uncovered::no;
  bool as_text = false;  // a type without binary output: hashed through its text
};

// Percentage and seed of TABLESAMPLE SYSTEM ... REPEATABLE.
struct Sample {
  double percentage = 0;  // 0: no sampling
  std::int64_t seed = 0;
};

struct DatabaseFingerprint {
  std::string database;
  bool exact = false;
  std::string method;
  std::string explanation;
  Lsn lsn;
  bool exclusive = false;
  std::uint64_t candidates = 0;          // snapshots that were tried
  std::vector<std::uint64_t> in_flight;  // transactions that the snapshot saw running
  bool with_cluster = false;             // includes the shared catalogs (roles, settings, ...)
  std::string error;                     // why nothing of this database was read
};

struct FingerprintHeader {
  std::uint64_t system_identifier = 0;
  int server_version = 0;
  Timeline timeline = 0;
  Instant taken;
  std::string source;  // where it was taken, without password
  Sample sample;
};

}  // namespace pgrehearse
