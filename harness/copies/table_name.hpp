// Names of tables and databases on the command line: "shop.public.orders".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct TableName {
  std::string database;
  std::string schema;
  std::string table;
  auto operator<=>(const TableName&) const = default;
};

// DATABASE.SCHEMA.TABLE, as in the catalog: nothing is folded to lower case. A part may be in
// double quotes, with inner quotes doubled. Throws Error(usage).
TableName parse_table_name(std::string_view text);
// The same without quotes, for people.
std::string to_text(const TableName& name);
// "public"."orders"
std::string quoted(const TableName& name);

// The parts of `text` between dots, where a part may be in double quotes. Empty if it is not valid.
std::vector<std::string> dotted_parts(std::string_view text);

}  // namespace pgrehearse
