#include "checks/table.hpp"

#include <array>

#include "checks/checks.hpp"

namespace pgrehearse {

std::span<const CheckDescription> check_table() {
  static const std::array table{
      row_counts_check(), query_check(),     databases_check(), extensions_check(),
      collations_check(), sequences_check(), indexes_check(),   replication_slots_check(),
      freshness_check(),  settings_check(),  identity_check(),
  };
  return table;
}

}  // namespace pgrehearse
