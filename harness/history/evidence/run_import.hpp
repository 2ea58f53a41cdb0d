// A row of the ledger from a run directory: for drills of older releases, or whose ledger was
// unreachable when they ended.
#pragma once

#include <filesystem>
#include <string>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

// Writes the manifest of the directory. The row proves that its files have not changed since the
// import, not since the drill. Throws Error(usage) if the record cannot be read.
LedgerRow row_of_run(const std::filesystem::path& run_directory);

}  // namespace pgrehearse
