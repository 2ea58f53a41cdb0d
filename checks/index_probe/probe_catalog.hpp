// The indexes of a database, and the operators with which a row finds itself through them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// A key column of an index. Names are quoted for SQL.
struct ProbeColumn {
  std::string name;
  std::string operator_name;  // "operator(pg_catalog.=)"
  std::string collation;      // of the index; empty: none
  bool lexemes = false;       // tsvector: the row's value is turned into a query
  bool skip_nan = false;      // GiST and SP-GiST do not find a value that contains NaN
  std::string reason;         // why the column cannot be looked up; empty: it can
};

struct ProbeIndex {
  std::string oid;
  std::string table_oid;
  std::string name;       // schema and name, quoted for SQL
  std::string bare_name;  // as EXPLAIN prints it
  std::string table;      // schema and name, quoted for SQL
  std::string method;
  std::uint64_t blocks = 0;
  std::uint64_t table_blocks = 0;
  std::string predicate;  // empty: not a partial index
  std::string reason;     // why the index cannot be probed; empty: it can
  std::vector<ProbeColumn> columns;
};

// The valid indexes of logged tables, without the system catalogs; indexes of a table together.
// Only operators, operator classes and types of PostgreSQL itself or of known extensions are
// offered: a user-defined function would run with superuser rights.
std::vector<ProbeIndex> list_probe_indexes(Connection& sql);

}  // namespace pgrehearse
