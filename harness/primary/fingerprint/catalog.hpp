// A database's catalog as a list that can be compared. The catalog tables are read in the
// statement's snapshot; pg_get_...def() functions read the newest catalog and would mix two points
// in time. State outside WAL or changed without a transaction (statistics, freeze limits, slots) is
// excluded.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// One kind of entry: `sql` returns identity and definition, each identity once.
struct CatalogKind {
  std::string_view name;
  std::string_view sql;
};

// One entry for each system catalog. Fingerprint files of older versions do not have it.
constexpr std::string_view built_in_objects = "built-in objects";

// The kinds of one database, and of the shared catalogs; in the order of fingerprints.
std::span<const CatalogKind> database_catalog();
std::span<const CatalogKind> cluster_catalog();
// The position of a kind in a fingerprint: shared catalogs first.
std::size_t catalog_rank(std::string_view kind);

// Lists one kind in order. Throws SqlError.
void list_catalog(Connection& connection, const CatalogKind& kind,
                  const std::function<void(CatalogEntry)>& on_entry);

}  // namespace pgrehearse
