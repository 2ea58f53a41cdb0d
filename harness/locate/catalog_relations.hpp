// The relations of one database with their files, as its catalog has them at one moment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/copies/table_name.hpp"
#include "harness/locate/wal_chunk.hpp"
#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct CatalogRelation {
  std::uint32_t oid = 0;
  std::uint32_t table = 0;  // OID of the table of an index or a TOAST relation; of a table, its own
  FileNode file;            // number 0: none (a view, a partitioned table)
  char kind = 'r';          // pg_class.relkind
  std::string name;         // "public.orders"
  double rows = -1;         // pg_class.reltuples; negative: unknown
};

struct CatalogRelations {
  std::string database;
  std::uint32_t database_oid = 0;
  std::vector<CatalogRelation> relations;
  // OIDs of the searched table and, if it is partitioned, of its partitions.
  std::vector<std::uint32_t> searched;
};

// From a connection to the table's database. `searched` is empty if there is no such table.
CatalogRelations read_catalog_relations(Connection& connection, const TableName& table);

// OID of a database; 0 if there is none of that name.
std::uint32_t database_oid(Connection& connection, const std::string& database);

}  // namespace pgrehearse
