// What pg_amcheck prints about one database, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

enum class AmcheckRelationKind { heap, index };

// One complaint about one relation.
struct AmcheckComplaint {
  AmcheckRelationKind kind = AmcheckRelationKind::heap;
  std::string relation;  // "shop.sales.orders", not quoted, as the tool prints it
  std::optional<std::uint64_t> block;
  std::optional<std::uint64_t> offset;     // line pointer
  std::optional<std::uint64_t> attribute;  // column number
  std::string message;                     // several lines are joined with "; "
  std::string hint;
  // The server could not look (memory, permission, cancelled): says nothing about the data.
  bool environment = false;
};

struct AmcheckOutput {
  std::vector<AmcheckComplaint> complaints;
  std::vector<std::string> without_extension;  // databases that it passed over
  std::vector<std::string> errors;             // "pg_amcheck: error: ..." without that prefix
};

AmcheckOutput parse_amcheck(std::string_view output, std::string_view error_output);

struct AmcheckProgress {
  std::uint64_t relations_done = 0;
  std::uint64_t relations = 0;
  std::uint64_t pages_done = 0;
  std::uint64_t pages = 0;
};
// "  0/826 relations (0%),    0/2919 pages (0%)", followed by a database's name if verbose.
std::optional<AmcheckProgress> parse_amcheck_progress(std::string_view line);

}  // namespace pgrehearse
