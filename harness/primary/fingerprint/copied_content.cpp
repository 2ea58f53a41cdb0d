#include "harness/primary/fingerprint/copied_content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "harness/common/text.hpp"
#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

static_assert(std::endian::native == std::endian::little);

__extension__ using Sum = __int128;

// Bob Jenkins's lookup3, as in PostgreSQL's hashfn.c.
struct Lookup3 {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;

  void mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  void finish() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
  }
};

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  if (at < bytes.size()) {
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(4, bytes.size() - at));
  }
  return word;
}

// Network byte order.
std::int32_t number_at(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < length; ++i) {
    number = number << 8U | static_cast<std::uint8_t>(at + i < bytes.size() ? bytes[at + i] : 0);
  }
  return length == 2 ? static_cast<std::int16_t>(number) : static_cast<std::int32_t>(number);
}

void append_number(std::string& text, std::uint32_t number) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    text += static_cast<char>(number >> shift & 0xFFU);
}

std::string decimal(Sum sum) {
  if (sum == 0) return "0";
  std::string digits;
  const bool negative = sum < 0;
  for (; sum != 0; sum /= 10) {
    const auto digit = static_cast<int>(sum % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

struct Column {
  std::string name;
  std::uint32_t type = 0;
};

// What record_send() would return for each row, hashed like hash_array_extended() of one element.
class RowHashes {
 public:
  explicit RowHashes(const std::vector<Column>& columns) : columns_(columns) {}

  void add(std::string_view message) {
    constexpr std::size_t signature = 11;
    std::size_t at = 0;
    if (!started_) {
      at = signature + 8 + static_cast<std::size_t>(number_at(message, signature + 4, 4));
      started_ = true;
    }
    if (number_at(message, at, 2) != std::ssize(columns_)) return;  // -1: the end
    at += 2;
    std::string record;
    append_number(record, static_cast<std::uint32_t>(columns_.size()));
    for (const auto& column : columns_) {
      append_number(record, column.type);
      const auto length = number_at(message, at, 4);
      const auto size = 4 + static_cast<std::size_t>(std::max(length, 0));
      if (at + size > message.size()) throw Error(ErrorKind::internal, "a row of COPY is cut off");
      record += message.substr(at, size);
      at += size;
    }
    constexpr std::uint64_t empty_array = 1;
    sum_ += static_cast<std::int64_t>(empty_array * 31 + hash_bytes(record));
    ++rows_;
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::string hash() const { return rows_ == 0 ? "" : decimal(sum_); }

 private:
  const std::vector<Column>& columns_;
  bool started_ = false;
  std::int64_t rows_ = 0;
  Sum sum_ = 0;
};

constexpr const char* columns_sql = R"(
select quote_ident(attname), atttypid, attgenerated <> ''
  from pg_catalog.pg_attribute
 where attrelid = $1::text::regclass and attnum > 0 and not attisdropped
 order by attnum)";

void cannot_read(RelationContent& relation, Uncovered cause, const std::string& why) {
  relation.coverage = Coverage::none;
  relation.cause = cause;
  relation.error = why;
}

void read_content(Connection& connection, RelationContent& relation) {
  const std::vector<Field> parameters{relation.name};
  const auto rows = connection.query(columns_sql, parameters);
  std::vector<Column> columns;
  std::string list;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto& name = rows.text(row, 0);
    if (std::find(relation.withheld.begin(), relation.withheld.end(), name) !=
        relation.withheld.end()) {
      continue;
    }
    if (rows.text(row, 2) == "t") {
      return cannot_read(relation, Uncovered::permission,
                         "its indexes call functions of users, and COPY has no generated columns");
    }
    Column column{.name = name};
    const auto& type = rows.text(row, 1);
    std::from_chars(type.data(), type.data() + type.size(), column.type);
    list += (list.empty() ? "" : ", ") + name;
    columns.push_back(std::move(column));
  }
  RowHashes hashes(columns);
  connection.stream(fmt::format("copy {}{} to stdout (format binary)", relation.name,
                                list.empty() ? "" : " (" + list + ")"),
                    {}, [&](const std::vector<Field>& message) { hashes.add(*message.front()); });
  relation.rows = hashes.rows();
  relation.hash = hashes.hash();
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes) {
  const auto start = 0x9e3779b9U + static_cast<std::uint32_t>(bytes.size()) + 3923095U;
  Lookup3 state{.a = start, .b = start, .c = start};
  while (bytes.size() >= 12) {
    state.a += word_at(bytes, 0);
    state.b += word_at(bytes, 4);
    state.c += word_at(bytes, 8);
    state.mix();
    bytes.remove_prefix(12);
  }
  state.a += word_at(bytes, 0);
  state.b += word_at(bytes, 4);
  // The lowest byte of c is reserved for the length.
  state.c += word_at(bytes, 8) << 8U;
  state.finish();
  return static_cast<std::uint64_t>(state.b) << 32U | state.c;
}

void read_by_copy(Connection& connection, RelationContent& relation) {
  try {
    if (relation.coverage == Coverage::counted) {
      relation.rows = count_by_copy(connection, relation.name);
    } else if (relation.coverage == Coverage::sampled || relation.as_text) {
      cannot_read(relation, Uncovered::permission,
                  fmt::format("its indexes call functions of users, and COPY has no {}",
                              relation.as_text ? "text hash" : "sample"));
    } else {
      read_content(connection, relation);
    }
  } catch (const SqlError& error) {
    if (error.sqlstate().empty()) throw;
    const auto& state = error.sqlstate();
    const bool dropped = state == "42P01" || state == "3F000";
    const bool view = state == "42809";  // a materialized view
    const bool locked = state == "55P03";
    const bool no_binary = state == "42883";
    cannot_read(relation,
                dropped             ? Uncovered::rewritten
                : locked            ? Uncovered::locked
                : view || no_binary ? Uncovered::permission
                                    : Uncovered::failed,
                error.what());
  }
}

}  // namespace pgrehearse
