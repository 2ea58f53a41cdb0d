#include "harness/copies/rescue_files.hpp"

#include <fmt/format.h>

#include "harness/common/text.hpp"
#include "harness/copies/copy_text.hpp"
#include "harness/postgres/database_names.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

void comment(std::ostream& out, std::string_view text) { out << "-- " << printable(text) << '\n'; }

void list(std::ostream& out, std::string_view title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  comment(out, title);
  for (const auto& item : items) comment(out, "  " + item);
}

void explain(std::ostream& out, const RescueSql::Source& source) {
  comment(out, fmt::format("Rows of {} that are in {} and not in the primary.",
                           to_text(source.table), source.copy));
  comment(out, fmt::format("Review it, then run it on the primary: psql -d {} -v ON_ERROR_STOP=1 "
                           "-f FILE",
                           source.table.database));
  comment(out, "A row whose key exists meanwhile is left as it is (ON CONFLICT DO NOTHING).");
  list(out, "These triggers of the table fire for each inserted row:", source.primary.triggers);
  if (!source.primary.triggers.empty()) {
    comment(out,
            "To insert without them: set local session_replication_role = replica (superuser;"
            " disables foreign keys as well)");
  }
  list(out, "Rows that these foreign keys refer to must exist:", source.primary.references);
  list(out, "If deleting the rows cascaded, rows of these tables are missing as well:",
       source.primary.referenced_by);
}

}  // namespace

RescueSql::RescueSql(std::ostream& out, const Source& source) : out_(out) {
  explain(out_, source);
  std::vector<std::string> columns;
  for (const auto& column : source.columns) columns.push_back(quoted_identifier(column));
  insert_ = fmt::format("insert into {} ({}) overriding system value values\n  (",
                        quoted(source.table), join(columns, ", "));
  out_ << "begin;\n"
          "set local standard_conforming_strings = on;\n"
          "set local client_encoding = 'UTF8';\n"
          "set local datestyle = 'ISO, YMD';\n"
          "set local intervalstyle = 'postgres';\n"
          "set local timezone = 'UTC';\n";
}

void RescueSql::add(std::string_view copy_row) {
  std::vector<std::string> values;
  for (const auto field : copy_fields(copy_row)) values.push_back(sql_literal(field));
  out_ << insert_ << join(values, ", ") << ")\n  on conflict do nothing;\n";
  ++rows_;
}

void RescueSql::finish(const DiffCounts& counts) {
  out_ << "commit;\n";
  comment(out_, fmt::format("{} rows. Not in this file: {} rows that the primary has in another "
                            "version, {} rows that only the primary has.",
                            rows_, counts.changed, counts.only_in_other));
}

DifferenceCsv::DifferenceCsv(std::ostream& out, const std::vector<std::string>& columns)
    : out_(out) {
  out_ << "difference";
  // A name is quoted like a value; it has no escapes of COPY.
  for (const auto& column : columns) {
    std::string escaped;
    for (const char c : column) escaped += c == '\\' ? std::string("\\\\") : std::string(1, c);
    out_ << ',' << csv_field(escaped);
  }
  out_ << '\n';
}

void DifferenceCsv::line(std::string_view label, std::string_view row) {
  out_ << label;
  for (const auto field : copy_fields(row)) out_ << ',' << csv_field(field);
  out_ << '\n';
}

void DifferenceCsv::add(RowDifference difference, std::string_view copy_row,
                        std::string_view other_row) {
  switch (difference) {
    case RowDifference::only_in_copy:
      return line("only_in_copy", copy_row);
    case RowDifference::changed:
      line("copy", copy_row);
      return line("primary", other_row);
    case RowDifference::only_in_other:
      return line("only_in_primary", other_row);
  }
}

}  // namespace pgrehearse
