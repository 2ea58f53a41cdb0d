#include "harness/copies/copy_text.hpp"

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view null_field = "\\N";

std::string doubled(std::string_view text, char quote) {
  std::string all(1, quote);
  for (const char c : text) all.append(c == quote ? 2 : 1, c);
  return all + quote;
}

char decoded(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

}  // namespace

std::optional<std::string> decode_copy_field(std::string_view field) {
  if (field == null_field) return {};
  std::string value;
  value.reserve(field.size());
  for (std::size_t at = 0; at < field.size(); ++at) {
    const bool escape = field[at] == '\\' && at + 1 < field.size();
    value += escape ? decoded(field[++at]) : field[at];
  }
  return value;
}

std::vector<std::string_view> copy_fields(std::string_view row) { return split(row, '\t'); }

std::string sql_literal(std::string_view copy_field) {
  const auto value = decode_copy_field(copy_field);
  return value ? doubled(*value, '\'') : "NULL";
}

std::string csv_field(std::string_view copy_field) {
  const auto value = decode_copy_field(copy_field);
  if (!value) return {};
  const bool plain = !value->empty() && value->find_first_of(",\"\r\n") == std::string::npos;
  return plain ? *value : doubled(*value, '"');
}

}  // namespace pgrehearse
