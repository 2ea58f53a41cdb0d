#include "harness/history/ledger_csv.hpp"

#include <string_view>

#include "harness/history/ledger_columns.hpp"

namespace pgrehearse {

std::string csv_field(const std::string& text) {
  constexpr std::string_view formula = "=+-@\t\r";
  const bool risky = !text.empty() && formula.find(text.front()) != std::string_view::npos;
  const auto safe = risky ? "'" + text : text;
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_of(const std::vector<LedgerRow>& rows) {
  auto text = ledger_column_list(",") + "\n";
  for (const auto& row : rows) {
    bool first = true;
    for (const auto& field : fields_of(row)) {
      if (!first) text += ',';
      first = false;
      if (field) text += csv_field(*field);
    }
    text += '\n';
  }
  return text;
}

}  // namespace pgrehearse
