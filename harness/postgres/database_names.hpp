// Names in SQL, and those of databases as read from files: a connection needs the name of one that
// exists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// The file number of a catalog in `global/pg_filenode.map`; nullopt: the map has no entry for it.
std::optional<std::uint32_t> mapped_file(std::string_view map, std::uint32_t catalog);

// Every name in the heap file of pg_database (PostgreSQL 12 and newer), in its order, once each.
// Rows that were deleted or not committed are included; the file may be older than the WAL that was
// replayed. Ignores what is not a valid page.
std::vector<std::string> database_names(std::string_view heap_file);

// In double quotes, with inner quotes doubled.
std::string quoted_identifier(std::string_view name);

}  // namespace pgrehearse
