// Rows in the text format of COPY.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// The value of one field; nullopt: NULL ("\N").
std::optional<std::string> decode_copy_field(std::string_view field);
// The fields of a row, without its line feed, as they are written.
std::vector<std::string_view> copy_fields(std::string_view row);

// An SQL literal for a server with standard_conforming_strings = on.
std::string sql_literal(std::string_view copy_field);
// A CSV field; NULL is empty, an empty string is quoted.
std::string csv_field(std::string_view copy_field);

}  // namespace pgrehearse
