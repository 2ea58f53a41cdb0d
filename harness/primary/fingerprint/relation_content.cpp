#include "harness/primary/fingerprint/relation_content.hpp"

#include <fmt/format.h>

#include "harness/common/text.hpp"
#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

// One row per relation with rows of its own. The file size is read, which takes a lock, only for a
// relation that was never analyzed and that nobody has locked.
constexpr const char* relations_sql = R"(
select c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, c.relpersistence,
       c.relispopulated, coalesce(nullif(c.relfilenode, 0), pg_relation_filenode(c.oid)),
       case when c.relpages > 0 or c.relkind = 'f' then c.relpages + coalesce(t.relpages, 0)
            when c.oid in (select relation from pg_locks
                            where granted and mode = 'AccessExclusiveLock') then 0
            else coalesce(pg_relation_size(c.oid), 0) / 8192 end,
       coalesce(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'), true),
       coalesce(has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select'),
                true)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class t on t.oid = nullif(c.reltoastrelid, 0)
 where c.relkind in ('r', 'm', 'f')
   and c.relpersistence <> 't'
   and ((n.nspname <> 'information_schema' and n.nspname !~ '^pg_')
        or (n.nspname = 'pg_catalog' and c.relname in ('pg_largeobject', 'pg_largeobject_metadata')))
 order by 7 desc, 2)";

// One row per column in order, and whether the role may read it.
constexpr const char* columns_sql = R"(
select quote_ident(attname), coalesce(has_column_privilege(attrelid, attnum, 'select'), false)
  from pg_attribute
 where attrelid = $1 and attnum > 0 and not attisdropped
 order by attnum)";

Rows columns_of(Connection& connection, std::uint32_t oid) {
  const std::vector<Field> parameters{std::to_string(oid)};
  return connection.query(columns_sql, parameters);
}

std::vector<std::string> readable_columns(Connection& connection, const RelationContent& relation) {
  std::vector<std::string> columns;
  const auto rows = columns_of(connection, relation.oid);
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    const auto& name = rows.text(row, 0);
    if (std::find(relation.withheld.begin(), relation.withheld.end(), name) ==
        relation.withheld.end()) {
      columns.push_back(name);
    }
  }
  return columns;
}

void leave_out(RelationContent& relation, Uncovered cause, std::string error = {}) {
  relation.coverage = Coverage::none;
  relation.cause = cause;
  relation.error = std::move(error);
  relation.rows = 0;
  relation.hash.clear();
}

Uncovered cause_of(const std::string& sqlstate) {
  if (sqlstate == "42501") return Uncovered::permission;
  if (sqlstate == "55P03") return Uncovered::locked;
  if (sqlstate == "57014" || sqlstate == sqlstate_disk_full || sqlstate == sqlstate_out_of_memory) {
    return Uncovered::budget;
  }
  // Dropped, renamed or altered since the snapshot.
  if (sqlstate == "42P01" || sqlstate == "42703" || sqlstate == "42809" || sqlstate == "3F000") {
    return Uncovered::rewritten;
  }
  return Uncovered::failed;
}

void take(RelationContent& relation, const Connection::PipelineResult& result, ReadingSide side) {
  if (!result.error.empty() || result.rows.rows.empty()) {
    leave_out(relation, cause_of(result.sqlstate), result.error);
    return;
  }
  const auto file_node = number_of<std::uint32_t>(result.rows.text(0, 2));
  if (side == ReadingSide::snapshot && file_node != relation.file_node) {
    leave_out(relation, Uncovered::rewritten, "its file was replaced after the snapshot");
    return;
  }
  relation.rows = number_of<std::int64_t>(result.rows.text(0, 0));
  relation.hash = result.rows.text(0, 1);
}

// A type without binary output, text that cannot be converted to the client's encoding, or a row
// too large for its binary form.
bool needs_text(const Connection::PipelineResult& result) {
  return result.sqlstate == "42883" || result.sqlstate == "22P05" || result.sqlstate == "22021" ||
         result.sqlstate == "54000";
}

// A row of more than 1 GB has no text, either.
bool is_too_large(const Connection::PipelineResult& result) {
  return result.sqlstate == "54000" ||
         result.error.find("invalid memory alloc request size") != std::string::npos;
}

// Planning inlines functions of index expressions, which may need a search_path.
bool lacks_search_path(const RelationContent& relation, const std::string& sqlstate) {
  // A type without binary output is an undefined function, too: it is read as text first.
  return is_undefined(sqlstate) && (sqlstate != "42883" || relation.as_text);
}

struct Round {
  ReadingSide side;
  const Sample& sample;
  std::string search_path = {};  // empty: pg_catalog
};

std::vector<std::string> statements_of(Connection& connection,
                                       std::span<RelationContent* const> relations,
                                       const Round& round) {
  const auto& [side, sample, search_path] = round;
  std::vector<std::string> statements;
  statements.reserve(relations.size() + 4);
  if (side == ReadingSide::snapshot) statements.emplace_back("savepoint content");
  if (!search_path.empty()) statements.push_back("set local search_path = " + search_path);
  for (const auto* relation : relations) {
    const auto columns = relation->withheld.empty() ? std::vector<std::string>{}
                                                    : readable_columns(connection, *relation);
    statements.push_back(content_sql(*relation, sample, columns));
  }
  if (side == ReadingSide::snapshot) {
    // Rolling back to the savepoint releases the locks on the tables: TRUNCATE and ALTER TABLE do
    // not wait for the end of this transaction.
    statements.emplace_back("rollback to savepoint content");
    statements.emplace_back("release savepoint content");
  }
  return statements;
}

// One round; returns the relations to read again: after a failure in the same transaction, or as
// text. `unresolved`: those to read with another search_path.
std::vector<RelationContent*> read_once(Connection& connection,
                                        std::span<RelationContent* const> relations,
                                        const Round& round,
                                        std::vector<RelationContent*>& unresolved) {
  const auto results = connection.pipeline(statements_of(connection, relations, round));
  const bool on_snapshot = round.side == ReadingSide::snapshot;
  const std::size_t first = (on_snapshot ? 1U : 0U) + (round.search_path.empty() ? 0U : 1U);
  std::vector<RelationContent*> again;
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const auto& result = results.at(first + i);
    if (result.sqlstate == "25P02") {
      again.push_back(relations[i]);
    } else if (needs_text(result) && !relations[i]->as_text) {
      relations[i]->as_text = true;
      again.push_back(relations[i]);
    } else if (on_snapshot && round.search_path.empty() &&
               lacks_search_path(*relations[i], result.sqlstate)) {
      relations[i]->as_text = false;
      unresolved.push_back(relations[i]);
    } else if (relations[i]->as_text && is_too_large(result)) {
      leave_out(*relations[i], Uncovered::rewritten, "a row is too large to be hashed (1 GB)");
    } else {
      take(*relations[i], result, round.side);
    }
  }
  return again;
}

}  // namespace

std::string content_sql(const RelationContent& relation, const Sample& sample,
                        std::span<const std::string> columns) {
  std::string row = "t.*";
  if (!relation.withheld.empty()) {
    row = "row(";
    for (const auto& column : columns) row += (row.size() > 4 ? ", t." : "t.") + column;
    row += ")";
  }
  // record_out and record_send instead of a cast: a cast could call a user-defined function.
  std::string hash = "null";
  if (relation.coverage != Coverage::counted) {
    hash = relation.as_text
               ? fmt::format("sum(hashtextextended(record_out({})::text collate \"C\", 0))", row)
               : fmt::format("sum(hash_array_extended(array[record_send({})], 0))", row);
  }
  std::string blocks;
  if (relation.coverage == Coverage::sampled) {
    blocks =
        fmt::format(" tablesample system ({}) repeatable ({})", sample.percentage, sample.seed);
  }
  // The file node of the relation read now: its name may belong to a new relation.
  std::string literal = "'";
  for (const char c : relation.name) literal += c == '\'' ? std::string("''") : std::string(1, c);
  literal += "'";
  return fmt::format("select count(*), {}, pg_relation_filenode({}::regclass) from only {} t{}",
                     hash, literal, relation.name, blocks);
}

std::vector<RelationContent> list_relations(Connection& connection, const CoverageRule& rule) {
  std::vector<RelationContent> relations;
  std::vector<std::size_t> in_part;
  connection.stream(relations_sql, {}, [&](const std::vector<Field>& row) {
    const auto text = [&](std::size_t column) { return row.at(column).value_or(""); };
    RelationContent relation{.name = text(1),
                             .pages = number_of<std::int64_t>(text(6)),
                             .oid = number_of<std::uint32_t>(text(0)),
                             .file_node = number_of<std::uint32_t>(text(5))};
    const bool whole = text(7) == "t";
    if (text(3) == "u") {
      leave_out(relation, Uncovered::unlogged);
    } else if (text(2) == "f") {
      leave_out(relation, Uncovered::foreign);
    } else if (text(4) == "f") {
      leave_out(relation, Uncovered::unpopulated);
    } else if (relation.coverage = rule(relation.name, relation.pages);
               relation.coverage == Coverage::none) {
      relation.cause = Uncovered::excluded;
    } else if (!whole && text(8) != "t") {
      leave_out(relation, Uncovered::permission, "permission denied for the role");
    } else if (!whole && relation.coverage != Coverage::counted) {
      in_part.push_back(relations.size());
    }
    relations.push_back(std::move(relation));
  });
  for (const auto at : in_part) {
    const auto columns = columns_of(connection, relations[at].oid);
    for (std::size_t row = 0; row < columns.rows.size(); ++row) {
      if (columns.text(row, 1) != "t") relations[at].withheld.push_back(columns.text(row, 0));
    }
  }
  return relations;
}

void prepare_reading(Connection& connection, int parallel_workers) {
  connection.query(
      "select set_config('jit', 'off', false), "
      "set_config('max_parallel_workers_per_gather', $1, false)",
      std::vector<Field>{std::to_string(parallel_workers)});
}

void read_contents(Connection& connection, std::span<RelationContent> batch, ReadingSide side,
                   const Sample& sample) {
  std::vector<RelationContent*> left;
  for (auto& relation : batch) {
    if (relation.coverage != Coverage::none) left.push_back(&relation);
  }
  std::vector<RelationContent*> unresolved;
  Round round{.side = side, .sample = sample};
  while (!left.empty()) left = read_once(connection, left, round, unresolved);
  if (unresolved.empty()) return;
  round.search_path = search_path_of_every_schema(connection);
  while (!unresolved.empty()) {
    std::vector<RelationContent*> none;
    unresolved = read_once(connection, unresolved, round, none);
  }
}

}  // namespace pgrehearse
