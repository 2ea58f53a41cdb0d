// Rows of the ledger as CSV (RFC 4180): one column per column of the ledger, with a header.
#pragma once

#include <string>
#include <vector>

#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

std::string csv_of(const std::vector<LedgerRow>& rows);
// One field: quoted where needed. An apostrophe precedes a text that a spreadsheet would evaluate.
std::string csv_field(const std::string& text);

}  // namespace pgrehearse
