// A database's catalogue as a list that can be diffed. The catalogue's tables are read as they
// are, in the statement's own snapshot: functions that print definitions look at the newest
// catalogue instead, and would mix two points in time. What PostgreSQL keeps outside WAL or changes
// without a transaction (statistics, freeze limits, slots) is left out.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// One kind of entry: `sql` gives identity and definition, each identity once.
struct CatalogKind {
  std::string_view name;
  std::string_view sql;
};

// Of one database, and of what all databases share; in the order of fingerprints.
std::span<const CatalogKind> database_catalog();
std::span<const CatalogKind> cluster_catalog();
// Both, cluster first: the order of a fingerprint that has both.
std::size_t catalog_rank(std::string_view kind);

// Lists one kind in order. Throws SqlError.
void list_catalogue(Connection& connection, const CatalogKind& kind,
                    const std::function<void(CatalogEntry)>& on_entry);

}  // namespace pgrehearse
