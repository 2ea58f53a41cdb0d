#include "harness/primary/fingerprint/catalog.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pgrehearse {

namespace {

// As the reader of a fingerprint file gives it, so that definitions compare as text.
std::string canonical(const std::string& definition) {
  using Json = nlohmann::ordered_json;
  try {
    return Json::parse(definition).dump();
  } catch (const Json::exception&) {
    // Bytes that are no UTF-8, in a database without an encoding.
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

void list_catalogue(Connection& connection, const CatalogKind& kind,
                    const std::function<void(CatalogEntry)>& on_entry) {
  // In the order of UTF-8, as the lists are merged: another encoding's bytes may have another.
  const auto sql = fmt::format(
      "select identity, definition from ({}) as listed (identity, definition) "
      "order by convert_to(identity, 'UTF8'), definition::text collate \"C\"",
      kind.sql);
  connection.stream(sql, {}, [&](const std::vector<Field>& row) {
    on_entry({.kind = std::string(kind.name),
              .identity = row[0].value_or(""),
              .definition = canonical(row[1].value_or("{}"))});
  });
}

}  // namespace pgrehearse
