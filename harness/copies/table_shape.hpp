// What a comparison of one table on two servers needs from its definition.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/copies/table_name.hpp"
#include "harness/postgres/connection.hpp"

namespace pgrehearse {

struct TableShape {
  std::vector<std::string> columns;  // in order, without generated ones
  std::vector<std::string> key;      // of the primary key; empty: none
  std::vector<std::string>
      leaves;               // quoted names of the tables with the rows: itself or partitions
  std::uint64_t bytes = 0;  // of those tables, without indexes
  // For the comments in a rescue file.
  std::vector<std::string> triggers;       // "audit (BEFORE INSERT)"
  std::vector<std::string> references;     // "orders_customer_fkey: (customer) -> sales.customers"
  std::vector<std::string> referenced_by;  // "sales.order_items: order_items_order_fkey"
};

// nullopt if there is no such table.
std::optional<TableShape> read_table_shape(Connection& connection, const TableName& table);

}  // namespace pgrehearse
