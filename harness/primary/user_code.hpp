// Reading tables of a copy without running code that is stored in it. Planning a statement inlines
// and evaluates functions of the table's index and statistics expressions, with the rights of the
// session; COPY of a table plans nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// "schema.relation" of each table and materialized view with such a function that is not part of
// PostgreSQL or of a library.
std::set<std::string> relations_with_user_code(Connection& connection);

// Calls `on_value` with one column of each row, as text; "\N" is NULL. Without a column: with any,
// to count the rows. Children of the table are not read. Throws SqlError: 42809 for a materialized
// view.
void copy_column(Connection& connection, const std::string& relation, const std::string& column,
                 const std::function<void(std::string_view)>& on_value);

// For statements whose planning evaluates such functions and needs their objects. Whichever
// function is found, a sequential scan does not evaluate the index.
std::string search_path_of_every_schema(Connection& connection);

std::int64_t count_by_copy(Connection& connection, const std::string& relation);

}  // namespace pgrehearse
