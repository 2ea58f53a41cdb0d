#include "harness/history/ledger_columns.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/utf8.hpp"
#include "harness/history/ledger_fields.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

// PostgreSQL refuses NUL and invalid UTF-8.
std::string storable(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const auto character = first_character(text);
    if (character.valid && character.code != 0) {
      valid += text.substr(0, character.length);
    } else {
      valid += "\uFFFD";
    }
    text.remove_prefix(character.length);
  }
  return valid;
}

template <class T>
struct Column {
  static constexpr bool number = false;
};
template <>
struct Column<std::uint64_t> {
  static constexpr bool number = true;
};
template <>
struct Column<milliseconds> {
  static constexpr bool number = true;
};
template <class T>
struct Column<std::optional<T>> : Column<T> {};

Field field_of(const std::string& text) { return text.empty() ? Field() : Field(storable(text)); }
Field field_of(std::uint64_t number) { return std::to_string(number); }
Field field_of(milliseconds span) { return std::to_string(span.count()); }
Field field_of(Instant instant) { return to_iso8601(instant); }
Field field_of(DrillState state) { return std::string(name_of(state)); }
Field field_of(Verdict verdict) { return std::string(name_of(verdict)); }
Field field_of(LikelyCause cause) { return std::string(name_of(cause)); }
Field field_of(const std::vector<PhaseTime>& phases) {
  if (phases.empty()) return {};
  Json list = Json::array();
  for (const auto& phase : phases) {
    list.push_back({{"name", storable(phase.name)}, {"ms", phase.duration.count()}});
    if (phase.bytes) list.back()["bytes"] = *phase.bytes;
  }
  return list.dump();
}
Field field_of(const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return {};
  Json object = Json::object();
  for (const auto& [code, count] : counts) object[code] = count;
  return object.dump();
}
template <class T>
Field field_of(const std::optional<T>& value) {
  return value ? field_of(*value) : Field();
}

// nullopt from a parser means that the field is invalid.
template <class T>
void require(T& value, std::optional<T> parsed) {
  if (!parsed) throw std::invalid_argument("invalid");
  value = *parsed;
}

void parse(std::string& value, const std::string& text) { value = text; }
void parse(std::uint64_t& value, const std::string& text) {
  const auto* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, value).ptr != end) throw std::invalid_argument("invalid");
}
void parse(milliseconds& value, const std::string& text) {
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, count).ptr != end) throw std::invalid_argument("invalid");
  value = milliseconds(count);
}
void parse(Instant& value, const std::string& text) { require(value, parse_instant(text)); }
void parse(DrillState& value, const std::string& text) { require(value, parse_drill_state(text)); }
void parse(Verdict& value, const std::string& text) { require(value, parse_verdict(text)); }
void parse(LikelyCause& value, const std::string& text) {
  require(value, parse_likely_cause(text));
}
void parse(std::vector<PhaseTime>& phases, const std::string& text) {
  for (const auto& item : Json::parse(text)) {
    PhaseTime phase{.name = item.at("name").get<std::string>(),
                    .duration = milliseconds(item.at("ms").get<std::int64_t>())};
    if (item.contains("bytes")) phase.bytes = item.at("bytes").get<std::uint64_t>();
    phases.push_back(std::move(phase));
  }
}
void parse(std::map<std::string, std::uint64_t>& counts, const std::string& text) {
  counts = Json::parse(text).get<std::map<std::string, std::uint64_t>>();
}
template <class T>
void parse(std::optional<T>& value, const std::string& text) {
  T parsed{};
  parse(parsed, text);
  value = parsed;
}

}  // namespace

const std::vector<LedgerColumn>& ledger_columns() {
  static const auto columns = [] {
    std::vector<LedgerColumn> list;
    const LedgerRow row;
    auto add = [&]<class T>(const char* name, const T&) {
      list.push_back({.name = name, .number = Column<T>::number});
    };
    visit(add, row);
    return list;
  }();
  return columns;
}

std::vector<Field> fields_of(const LedgerRow& row) {
  std::vector<Field> fields;
  auto add = [&](const char*, const auto& value) { fields.push_back(field_of(value)); };
  visit(add, row);
  return fields;
}

LedgerRow row_of(std::span<const Field> fields) {
  LedgerRow row;
  std::size_t column = 0;
  auto read = [&](const char* name, auto& value) {
    const auto& field = fields[column++];
    if (!field) return;
    try {
      parse(value, *field);
    } catch (const std::exception&) {
      throw Error(ErrorKind::environment,
                  fmt::format("the ledger's column {} has the invalid value '{}'", name, *field),
                  "'pgrehearse history verify' shows which rows were changed");
    }
  };
  visit(read, row);
  return row;
}

std::string json_line(const LedgerRow& row, std::uint64_t sequence, const std::string& entry) {
  Json object = Json::object();
  if (!entry.empty()) {
    object["sequence"] = sequence;
    object["entry"] = entry;
  }
  auto add = [&]<class T>(const char* name, const T& value) {
    const auto field = field_of(value);
    if (!field) return;
    if constexpr (Column<T>::number) {
      object[name] = number_of<std::int64_t>(*field);
    } else if constexpr (std::same_as<T, std::vector<PhaseTime>> ||
                         std::same_as<T, std::map<std::string, std::uint64_t>>) {
      object[name] = Json::parse(*field);
    } else {
      object[name] = *field;
    }
  };
  visit(add, row);
  return object.dump();
}

std::string ledger_column_list(std::string_view separator) {
  std::vector<std::string> names;
  for (const auto& column : ledger_columns()) names.push_back(column.name);
  return join(names, separator);
}

}  // namespace pgrehearse
