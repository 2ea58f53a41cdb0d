// Rows of a ledger for tests.
#pragma once

#include <string>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

// A drill of `scenario` that has just started, `hour` hours after midnight of 2026-11-20; its
// stanza is "orders".
LedgerRow started_row(const std::string& scenario, int hour);
// The same, after it passed.
LedgerRow passed_row(const std::string& scenario, int hour);
// The same, after it failed.
LedgerRow failed_row(const std::string& scenario, int hour);

}  // namespace pgrehearse
