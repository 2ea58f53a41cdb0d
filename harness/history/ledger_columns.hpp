// A ledger row as columns of a database and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/history/ledger_row.hpp"
#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct LedgerColumn {
  std::string name;
  bool number = false;  // bigint, else text
};

// In the order of the table.
const std::vector<LedgerColumn>& ledger_columns();
// Their names.
std::string ledger_column_list(std::string_view separator = ", ");
// One field per column. Text is valid UTF-8 without NUL.
std::vector<Field> fields_of(const LedgerRow& row);
// Throws Error(environment) if a field is not valid for its column.
LedgerRow row_of(std::span<const Field> fields);
// {"sequence":12,"entry":"finished",...}: one line, with the columns that are not NULL. Without
// sequence and entry if `entry` is empty.
std::string json_line(const LedgerRow& row, std::uint64_t sequence, const std::string& entry);

}  // namespace pgrehearse
