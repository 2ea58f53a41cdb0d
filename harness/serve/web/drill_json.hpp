// Drills of the ledger as JSON of the API.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

// Everything that the pages show of one drill.
nlohmann::ordered_json drill_json(const LedgerRow& row);

}  // namespace pgrehearse
