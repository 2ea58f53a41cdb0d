#include "harness/copies/table_name.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/postgres/database_names.hpp"

namespace pgrehearse {

std::vector<std::string> dotted_parts(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"';
    if (doubled) {
      parts.back() += text[++at];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (const auto& part : parts) {
    if (part.empty() || quoted) return {};
  }
  return parts;
}

TableName parse_table_name(std::string_view text) {
  auto parts = dotted_parts(text);
  if (parts.size() != 3) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not a table", text),
                "write DATABASE.SCHEMA.TABLE, for example shop.public.orders");
  }
  return {
      .database = std::move(parts[0]), .schema = std::move(parts[1]), .table = std::move(parts[2])};
}

std::string to_text(const TableName& name) {
  return fmt::format("{}.{}.{}", name.database, name.schema, name.table);
}

std::string quoted(const TableName& name) {
  return quoted_identifier(name.schema) + "." + quoted_identifier(name.table);
}

}  // namespace pgrehearse
