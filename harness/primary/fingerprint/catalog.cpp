#include "harness/primary/fingerprint/catalog.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pgrehearse {

namespace {

// The form that the reader of a fingerprint file returns, so that definitions compare as text.
std::string canonical(const std::string& definition) {
  using Json = nlohmann::ordered_json;
  try {
    return Json::parse(definition).dump();
  } catch (const Json::exception&) {
    // Invalid UTF-8, in a SQL_ASCII database.
    return Json(definition).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

}  // namespace

std::size_t catalog_rank(std::string_view kind) {
  std::size_t rank = 0;
  for (const auto kinds : {cluster_catalog(), database_catalog()}) {
    for (const auto& known : kinds) {
      if (known.name == kind) return rank;
      ++rank;
    }
  }
  return rank;
}

void list_catalog(Connection& connection, const CatalogKind& kind,
                  const std::function<void(CatalogEntry)>& on_entry) {
  // In UTF-8 byte order, in which the lists are merged: other encodings sort differently.
  const auto sql = fmt::format(
      "select identity, definition from ({}) as listed (identity, definition) "
      "order by convert_to(identity, case when getdatabaseencoding() in ('SQL_ASCII', "
      "'MULE_INTERNAL') then getdatabaseencoding() else 'UTF8' end), definition::text collate "
      "\"C\"",
      kind.sql);
  connection.stream(sql, {}, [&](const std::vector<Field>& row) {
    on_entry({.kind = std::string(kind.name),
              .identity = row[0].value_or(""),
              .definition = canonical(row[1].value_or("{}"))});
  });
}

}  // namespace pgrehearse
