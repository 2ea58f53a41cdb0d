#include "checks/comparison/drill_down.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::uint64_t parts_of_a_range = 256;
constexpr std::uint64_t few_blocks = 4;
// Limits the list if most of a relation differs.
constexpr std::size_t most_ranges = 32;

struct BlockRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // after the last
};

// A row names the columns of the relation's shortest key, the primary key first.
constexpr const char* key_sql = R"(
select string_agg(format('t.%I', a.attname), ', ' order by k.at),
       string_agg(quote_ident(a.attname), ', ' order by k.at)
  from (select i.indkey::int2[] as columns, i.indnkeyatts as length
          from pg_index i
         where i.indrelid = $1::text::regclass and i.indisunique and i.indisvalid
           and i.indpred is null and i.indexprs is null
           and not exists (select from pg_attribute n
                            where n.attrelid = i.indrelid and n.attnum = any (i.indkey::int2[])
                              and not n.attnotnull)
         order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1) x,
       unnest(x.columns) with ordinality k (number, at)
  join pg_attribute a on a.attrelid = $1::text::regclass and a.attnum = k.number
 where k.at <= x.length)";

struct Key {
  std::string expression = "t.ctid";
  std::string columns = "ctid";
};

Key key_of(Connection& copy, const RelationContent& relation) {
  const auto rows = copy.query(key_sql, std::vector<Field>{relation.name});
  if (rows.rows.empty() || !rows.rows[0][0]) return {};
  return {.expression = rows.text(0, 0), .columns = rows.text(0, 1)};
}

std::string row_hash(const RelationContent& relation) {
  return relation.as_text ? "hashtextextended(record_out(t.*)::text collate \"C\", 0)"
                          : "hash_array_extended(array[record_send(t.*)], 0)";
}

class Search {
 public:
  Search(Connection& primary, Connection& copy, const RelationContent& relation,
         const Sample& sample)
      : primary_(primary), copy_(copy), relation_(relation) {
    if (relation.coverage == Coverage::sampled) {
      blocks_ =
          fmt::format(" tablesample system ({}) repeatable ({})", sample.percentage, sample.seed);
    }
  }

  // Ranges of a few blocks that differ; sets `all` to false when there are more.
  std::vector<BlockRange> differing(bool& all) {
    std::vector<BlockRange> ranges{{.begin = 0, .end = number_of_blocks()}};
    while (!ranges.empty() && ranges.front().end - ranges.front().begin > few_blocks) {
      std::vector<BlockRange> parts;
      for (const auto& range : ranges) {
        const auto found = differing_parts(range);
        parts.insert(parts.end(), found.begin(), found.end());
        if (parts.size() > most_ranges) break;
      }
      if (parts.size() > most_ranges) {
        parts.resize(most_ranges);
        all = false;
      }
      ranges = std::move(parts);
    }
    return ranges;
  }

  // Adds the hashes of the range's rows by key; rows with one key are a multiset.
  void read_rows(const BlockRange& range, const Key& key,
                 std::multimap<std::string, std::string>& expected,
                 std::multimap<std::string, std::string>& actual) {
    const auto sql =
        fmt::format("select record_out(row({}))::text, {}::text from only {} t{}{}", key.expression,
                    row_hash(relation_), relation_.name, blocks_, condition(range));
    const auto add = [](const Rows& rows, auto& into) {
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        into.emplace(rows.text(row, 0), rows.text(row, 1));
      }
    };
    add(ask_primary(sql), expected);
    add(copy_.query(sql), actual);
  }

 private:
  // Releases the locks at once.
  Rows ask_primary(const std::string& sql) {
    primary_.query("savepoint drill_down");
    auto rows = primary_.query(sql);
    primary_.query("rollback to savepoint drill_down");
    primary_.query("release savepoint drill_down");
    return rows;
  }

  std::uint64_t number_of_blocks() {
    const auto sql = fmt::format(
        "select pg_relation_size({}) / current_setting('block_size')::bigint", relation_.oid);
    return std::max({std::uint64_t{1}, number_of<std::uint64_t>(ask_primary(sql).text(0, 0)),
                     number_of<std::uint64_t>(copy_.query(sql).text(0, 0))});
  }

  static std::string condition(const BlockRange& range) {
    return fmt::format(" where t.ctid >= '({},0)'::tid and t.ctid < '({},0)'::tid", range.begin,
                       range.end);
  }

  std::vector<BlockRange> differing_parts(const BlockRange& range) {
    const auto step =
        std::max<std::uint64_t>(few_blocks, (range.end - range.begin) / parts_of_a_range + 1);
    const auto sql = fmt::format(
        "select ((t.ctid::text::point)[0]::bigint - {}) / {}, count(*) || ' ' || sum({}) "
        "from only {} t{}{} group by 1",
        range.begin, step, row_hash(relation_), relation_.name, blocks_, condition(range));
    const auto by_part = [](const Rows& rows) {
      std::map<std::uint64_t, std::string> parts;
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        parts[number_of<std::uint64_t>(rows.text(row, 0))] = rows.text(row, 1);
      }
      return parts;
    };
    const auto expected = by_part(ask_primary(sql));
    const auto actual = by_part(copy_.query(sql));
    std::vector<BlockRange> parts;
    for (std::uint64_t part = 0; range.begin + part * step < range.end; ++part) {
      const auto here = expected.find(part);
      const auto there = actual.find(part);
      const bool none = here == expected.end() && there == actual.end();
      const bool same =
          here != expected.end() && there != actual.end() && here->second == there->second;
      if (none || same) continue;
      const auto begin = range.begin + part * step;
      parts.push_back({.begin = begin, .end = std::min(begin + step, range.end)});
    }
    return parts;
  }

  Connection& primary_;
  Connection& copy_;
  const RelationContent& relation_;
  std::string blocks_;
};

// Removes the rows that are on both sides, in any block; the rest differ.
void drop_common(std::multimap<std::string, std::string>& expected,
                 std::multimap<std::string, std::string>& actual) {
  for (auto row = expected.begin(); row != expected.end();) {
    const auto [first, last] = actual.equal_range(row->first);
    const auto twin =
        std::find_if(first, last, [&](const auto& other) { return other.second == row->second; });
    if (twin == last) {
      ++row;
    } else {
      actual.erase(twin);
      row = expected.erase(row);
    }
  }
}

void sort_out(const std::multimap<std::string, std::string>& expected,
              std::multimap<std::string, std::string>& actual, std::size_t most_keys,
              DifferingKeys& keys) {
  const auto add = [&](std::vector<std::string>& list, const std::string& key) {
    if (keys.missing.size() + keys.extra.size() + keys.changed.size() < most_keys) {
      list.push_back(key);
    } else {
      keys.all = false;
    }
  };
  for (const auto& [key, hash] : expected) {
    if (const auto other = actual.find(key); other != actual.end()) {
      actual.erase(other);
      add(keys.changed, key);
    } else {
      add(keys.missing, key);
    }
  }
  for (const auto& [key, hash] : actual) add(keys.extra, key);
}

}  // namespace

DifferingKeys find_differing_keys(Connection& primary, Connection& copy,
                                  const RelationContent& relation, const Sample& sample,
                                  std::size_t most_keys) {
  DifferingKeys keys;
  const auto key = key_of(copy, relation);
  keys.columns = key.columns;
  Search search(primary, copy, relation, sample);
  const auto ranges = search.differing(keys.all);
  if (ranges.empty()) return keys;
  keys.first_block = ranges.front().begin;
  keys.last_block = ranges.back().end - 1;
  std::multimap<std::string, std::string> expected;
  std::multimap<std::string, std::string> actual;
  for (const auto& range : ranges) search.read_rows(range, key, expected, actual);
  drop_common(expected, actual);
  sort_out(expected, actual, most_keys, keys);
  return keys;
}

void describe_keys(const DifferingKeys& keys, Finding& finding) {
  const auto add = [&](const char* what, const std::vector<std::string>& list) {
    if (list.empty()) return;
    const auto text = join(list, ", ");
    finding.message += fmt::format("; {} {} {}", what, keys.columns, text);
    finding.details[fmt::format("keys_{}", what)] = text;
  };
  add("missing", keys.missing);
  add("extra", keys.extra);
  add("changed", keys.changed);
  if (!keys.all) finding.message += " (and more)";
  finding.details["key"] = keys.columns;
  finding.details["blocks"] = fmt::format("{} to {}", keys.first_block, keys.last_block);
}

}  // namespace pgrehearse
