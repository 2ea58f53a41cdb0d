#include "checks/index_probe/probe_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pgrehearse {

namespace {

using nlohmann::json;
using Columns = std::vector<const ProbeColumn*>;

// A document matches the query of its own lexemes: 'one' & 'two'.
std::string key_of(const ProbeColumn& column) {
  if (!column.lexemes) return column.name;
  return fmt::format(
      R"((select pg_catalog.string_agg('''' || replace(replace(w.lexeme, '\', '\\'), '''', '''''')
                                         || '''', ' & ')
            from pg_catalog.unnest({}) as w)::pg_catalog.tsquery)",
      column.name);
}

std::string condition_of(const ProbeColumn& column, std::size_t number) {
  const auto collate = column.collation.empty() ? "" : " collate " + column.collation;
  return fmt::format("x.{} {} o.k{}{}", column.name, column.operator_name, number, collate);
}

// With `rest`, only rows that the statement for all columns leaves out: a column there is null.
std::string statement(const ProbeIndex& index, const Columns& columns, const Columns& rest) {
  std::string keys;
  std::string wanted = "true";
  std::string conditions;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    keys += fmt::format(", {} as k{}", key_of(*columns[i]), i);
    wanted += fmt::format(" and o.k{} is not null", i);
    if (columns[i]->skip_nan) wanted += fmt::format(" and o.k{}::text !~* 'nan|inf'", i);
    conditions += (i == 0 ? "" : " and ") + condition_of(*columns[i], i);
  }
  std::string nulls = rest.empty() ? "true" : "false";
  for (const auto* column : rest) nulls += fmt::format(" or {} is null", column->name);
  // Hidden in a CASE, the predicate does not make the planner read the rows through the index.
  const auto holds = index.predicate.empty()
                         ? ""
                         : fmt::format(" and case when {} then 1 else 0 end = 1", index.predicate);
  const auto implied = index.predicate.empty() ? "" : fmt::format(" and ({})", index.predicate);
  // OFFSET 0 keeps the planner from merging the levels and finding the row by its position.
  return fmt::format(R"(
select count(*), count(*) filter (where z.lost),
       array_to_string((array_agg(z.tid::text) filter (where z.lost))[1:5], ' ')
  from (select o.tid,
               not exists (select from (select x.ctid as tid from only {0} x
                                         where {1}{2} offset 0) f
                            where f.tid = o.tid) as lost
          from (select s.ctid as tid{3} from only {0} s
                 where s.ctid = any ($1::tid[]) and ({4}){5} offset 0) o
         where {6} offset 0) z)",
                     index.table, conditions, implied, keys, nulls, holds, wanted);
}

// EXPLAIN prints names in the database's encoding, which need not be UTF-8.
std::string only_ascii(std::string text) {
  for (auto& letter : text) {
    if (static_cast<unsigned char>(letter) >= 0x80) letter = '?';
  }
  return text;
}

struct PlanFacts {
  bool rows_by_position = false;
  bool through_index = false;
  bool otherwise = false;  // some index or scan that it should not use
};

void read_plan(const json& node, const std::string& index, PlanFacts& facts) {
  const auto type = node.value("Node Type", "");
  const auto alias = node.value("Alias", "");
  if (alias == "s") {
    (type == "Tid Scan" ? facts.rows_by_position : facts.otherwise) = true;
  }
  if (alias == "x" && type != "Index Scan" && type != "Bitmap Heap Scan") facts.otherwise = true;
  if (node.contains("Index Name")) {
    (node.value("Index Name", "") == index ? facts.through_index : facts.otherwise) = true;
  }
  if (const auto plans = node.find("Plans"); plans != node.end()) {
    for (const auto& child : *plans) read_plan(child, index, facts);
  }
}

}  // namespace

std::vector<std::string> lookup_statements(const ProbeIndex& index) {
  Columns usable;
  for (const auto& column : index.columns) {
    if (column.reason.empty()) usable.push_back(&column);
  }
  std::vector<std::string> statements{statement(index, usable, {})};
  // Any column of these is searched by itself; a btree index with a null needs its first one.
  if (usable.size() > 1 && index.method != "btree") {
    for (const auto* column : usable) statements.push_back(statement(index, {column}, usable));
  }
  return statements;
}

bool plan_uses(const std::string& plan, const ProbeIndex& index) {
  const auto parsed = json::parse(only_ascii(plan), nullptr, false);
  if (!parsed.is_array() || parsed.empty() || !parsed[0].contains("Plan")) return false;
  PlanFacts facts;
  read_plan(parsed[0]["Plan"], only_ascii(index.bare_name), facts);
  return facts.rows_by_position && facts.through_index && !facts.otherwise;
}

}  // namespace pgrehearse
