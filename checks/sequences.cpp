// Would a sequence return a value that its column already contains? After a recovery that lost or
// reset one, inserts fail on duplicate keys.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "checks/shared/name_patterns.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"
#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

// A row is an integer column fed by a sequence: owned by it (serial), an identity, or through its
// default; whether inserts call the sequence, and whether its plain value becomes the column's.
// Cycling sequences may be below on purpose.
constexpr const char* fed_columns_sql = R"(
with fed as (
  select d.objid as sequence, d.refobjid as relation, d.refobjsubid as attribute
    from pg_catalog.pg_depend d
   where d.classid = 'pg_catalog.pg_class'::regclass
     and d.refclassid = 'pg_catalog.pg_class'::regclass
     and d.deptype in ('a', 'i') and d.refobjsubid > 0
  union
  select d.refobjid, a.adrelid, a.adnum
    from pg_catalog.pg_depend d
    join pg_catalog.pg_attrdef a on a.oid = d.objid
   where d.classid = 'pg_catalog.pg_attrdef'::regclass
     and d.refclassid = 'pg_catalog.pg_class'::regclass
     and pg_get_expr(a.adbin, a.adrelid) ~ '^nextval\(')
select format('%I.%I', sn.nspname, s.relname), format('%I.%I', tn.nspname, t.relname),
       format('%I', c.attname), q.seqincrement, s.relpersistence, u.called, u.plain
  from fed
  join pg_catalog.pg_sequence q on q.seqrelid = fed.sequence
  join pg_catalog.pg_class s on s.oid = fed.sequence
  join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
  join pg_catalog.pg_class t on t.oid = fed.relation
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
  join pg_catalog.pg_attribute c on c.attrelid = fed.relation and c.attnum = fed.attribute
 cross join lateral (
       select c.attidentity <> '' or count(*) > 0 as called,
              c.attidentity <> ''
                or coalesce(bool_or(pg_get_expr(a.adbin, a.adrelid)
                                      ~ '^nextval\(''([^'']|'''')*''::regclass\)$'), false) as plain
         from pg_catalog.pg_attrdef a
         join pg_catalog.pg_depend d
           on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = a.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = fed.sequence
        where a.adrelid = fed.relation and a.adnum = fed.attribute) as u
 where t.relkind in ('r', 'p') and t.relpersistence = 'p' and s.relpersistence <> 't'
   and c.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   and not q.seqcycle
   and not exists (select from pg_catalog.pg_inherits i  -- max() of the parent covers its partitions
                     join fed parent on parent.relation = i.inhparent
                                    and parent.sequence = fed.sequence
                    where i.inhrelid = fed.relation)
 order by 1, 2, 3)";

// One row per table that holds rows of $1: itself and its descendants, but no foreign table.
constexpr const char* tables_sql = R"(
with recursive tree (relation) as (
  select $1::text::regclass::pg_catalog.oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on tree.relation = i.inhparent)
select format('%I.%I', n.nspname, c.relname)
  from tree
  join pg_catalog.pg_class c on c.oid = tree.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and c.relpersistence = 'p')";

constexpr std::array keys{KeyDescription{
    .name = "exclude",
    .kind = KeyKind::text_list,
    .summary = "sequences to exclude, as database.schema.sequence patterns",
    .example = "[shop.legacy.*]",
}};

// A column and the sequence that feeds it; names quoted for SQL.
struct FedColumn {
  std::string database;
  std::string sequence;
  std::string table;
  std::string column;
  std::int64_t increment = 1;
  bool logged = true;
  bool called = true;  // by the column's default
  bool plain = true;   // the default is its next value, not a value computed from it
};

// The largest value of the column, or the smallest; nullopt: there is none. `copied`: tables with
// functions of users in their indexes (user_code.hpp).
std::optional<std::int64_t> extreme_of(Connection& sql, const FedColumn& fed, bool largest,
                                       const std::set<std::string>& copied) {
  std::optional<std::int64_t> extreme;
  const auto take = [&](std::int64_t value) {
    if (!extreme || (largest ? value > *extreme : value < *extreme)) extreme = value;
  };
  const std::vector<Field> parameters{fed.table};
  const auto tables = sql.query(tables_sql, parameters);
  for (std::size_t row = 0; row < tables.rows.size(); ++row) {
    const auto& table = tables.text(row, 0);
    if (copied.contains(table)) {
      copy_column(sql, table, fed.column, [&](std::string_view value) {
        if (value != "\\N") take(number_of<std::int64_t>(value));
      });
      continue;
    }
    const auto value = sql.query(
        fmt::format("select {}({}) from only {}", largest ? "max" : "min", fed.column, table));
    if (value.rows[0][0]) take(number_of<std::int64_t>(value.text(0, 0)));
  }
  return extreme;
}

struct SequencePosition {
  std::int64_t last = 0;
  bool called = false;
};

SequencePosition position_of(Connection& sql, const FedColumn& fed) {
  const auto state = sql.query(fmt::format("select last_value, is_called from {}", fed.sequence));
  return {.last = number_of<std::int64_t>(state.text(0, 0)), .called = state.text(0, 1) == "t"};
}

// Whether the next value is not beyond the column's largest. Without additions, so no overflow.
bool is_below(const SequencePosition& at, std::int64_t held, std::int64_t increment) {
  if (increment > 0) {
    return at.called ? at.last < held && held - at.last >= increment : at.last <= held;
  }
  return at.called ? at.last > held && held - at.last <= increment : at.last >= held;
}

// False also where the primary cannot be asked.
bool is_below_on_primary(const InstanceContext& context, const FedColumn& fed) {
  if (context.primary == nullptr) return false;
  try {
    auto sql = context.primary->connect(fed.database, context.stop);
    sql.query("set statement_timeout = '10s'");
    const auto extreme = sql.query(fmt::format(
        "select {}({}) from {}", fed.increment > 0 ? "max" : "min", fed.column, fed.table));
    return extreme.rows.at(0).at(0) &&
           is_below(position_of(sql, fed), number_of<std::int64_t>(extreme.text(0, 0)),
                    fed.increment);
  } catch (const SqlError&) {
    return false;
  }
}

// Without a row, the first values after recovery are unused.
Finding unlogged(const FedColumn& fed, bool has_values) {
  const auto object = fmt::format("{}.{}", fed.database, fed.sequence);
  const auto column = fmt::format("{}.{}.{}", fed.database, fed.table, fed.column);
  return {
      .code = FindingCode::sequence_unlogged,
      .severity = has_values ? std::nullopt : std::optional(Severity::note),
      .object = object,
      .message = fmt::format("sequence {} is unlogged, so recovery resets it; {} is in a logged "
                             "table{} and takes its values",
                             object, column, has_values ? "" : " without rows"),
      .hint = fmt::format("on the primary: ALTER SEQUENCE {} SET LOGGED", fed.sequence),
      .details = {{"column", column}}};
}

std::optional<Finding> compare(const InstanceContext& context, Connection& sql,
                               const FedColumn& fed, const std::set<std::string>& copied) {
  const auto extreme = extreme_of(sql, fed, fed.increment > 0, copied);
  if (!extreme) return {};
  const auto at = position_of(sql, fed);
  if (!is_below(at, *extreme, fed.increment)) return {};
  const auto last = at.last;
  const auto held = *extreme;
  const bool shared = fed.plain && is_below_on_primary(context, fed);
  const auto object = fmt::format("{}.{}", fed.database, fed.sequence);
  const auto column = fmt::format("{}.{}.{}", fed.database, fed.table, fed.column);
  return Finding{
      .code = FindingCode::sequence_behind,
      .severity = shared || !fed.plain ? std::optional(Severity::note) : std::nullopt,
      .object = object,
      .message = fmt::format("sequence {} is at {}{}, but {} already contains {}{}", object, last,
                             at.called ? "" : " (not yet used)", column, held,
                             shared       ? "; also on the primary"
                             : !fed.plain ? "; the column's default is not its next value"
                                          : ""),
      .hint = fmt::format(
          "after a real recovery, run `select setval('{}', {})`; find out what reset the sequence",
          fed.sequence, held),
      .details = {{"sequence_value", std::to_string(last)},
                  {"column_value", std::to_string(held)},
                  {"column", column}}};
}

class Sequences : public InstanceCheck {
 public:
  explicit Sequences(const Settings& settings)
      : exclude_(settings.get_or<std::vector<std::string>>("exclude", {})) {}

  CheckOutcome run(const LandedContext& context) override {
    std::vector<Finding> findings;
    std::uint64_t compared = 0;
    const auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      const auto rows = sql.query(fed_columns_sql);
      const auto copied = relations_with_user_code(sql);
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        if (exclude_.match_relation(database, rows.text(row, 0))) continue;
        const FedColumn fed{.database = database,
                            .sequence = rows.text(row, 0),
                            .table = rows.text(row, 1),
                            .column = rows.text(row, 2),
                            .increment = number_of<std::int64_t>(rows.text(row, 3)),
                            .logged = rows.text(row, 4) != "u",
                            .called = rows.text(row, 5) == "t",
                            .plain = rows.text(row, 6) == "t"};
        if (!fed.logged) {
          if (!fed.called) continue;
          const bool has_values = extreme_of(sql, fed, fed.increment > 0, copied).has_value();
          findings.push_back(unlogged(fed, has_values));
          continue;
        }
        auto finding = compare(context, sql, fed, copied);
        if (finding) findings.push_back(std::move(*finding));
        ++compared;
      }
    });
    return outcome_of(std::move(findings), walk,
                      fmt::format("{} in {}", counted(compared, "sequence", "sequences"),
                                  counted(walk.looked_at, "database", "databases")));
  }

 private:
  NamePatterns exclude_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::sequence_behind,
    FindingCode::sequence_unlogged,
    FindingCode::database_unreadable,
    FindingCode::env_locale,
});

}  // namespace

CheckDescription sequences_check() {
  return {.name = "sequences",
          .summary = "no sequence is below the largest value of its column, or unlogged",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .weight = 20,
          .keys = keys,
          .validate = validate<Sequences>,
          .create = create<Sequences>};
}

}  // namespace pgrehearse
