// A file of earlier row counts: JSON, {"database": {"schema.table": rows}}. Names are quoted as SQL
// quotes them ("shop": {"public.\"Order Lines\"": 12}).
#pragma once

#include <filesystem>
#include <string>

#include "harness/primary/row_count.hpp"

namespace pgrehearse {

// Throws Error(usage) that names the file, and the database or table whose value is wrong.
RowCounts read_recorded_counts(const std::filesystem::path& file);
RowCounts parse_recorded_counts(const std::string& text, const std::string& file);

}  // namespace pgrehearse
