// Is every index usable? An invalid one was left by a failed CREATE INDEX CONCURRENTLY or REINDEX.
#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "checks/shared/name_patterns.hpp"
#include "checks/shared/user_session.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

// A row is an index that queries cannot use, or that is not kept up to date.
constexpr const char* unusable_sql = R"(
select format('%I.%I', n.nspname, c.relname), format('%I.%I', tn.nspname, t.relname),
       i.indisvalid, i.indisready, i.indislive, c.relkind, c.relname ~ '_cc(new|old)[0-9]*$'
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_class t on t.oid = i.indrelid
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
 where not (i.indisvalid and i.indisready and i.indislive)
   and c.relpersistence <> 't'
 order by 1)";

// A row is a unique index, and the query that gives a row when two of its table's rows have the
// same key; NULL where another transaction holds a lock that reading the definition waits for.
constexpr const char* unique_sql = R"(
select pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.format('%I.%I', tn.nspname, t.relname),
       case when not locked.yes then
       pg_catalog.format('select from only %I.%I where %s%s group by %s having count(*) > 1 limit 1',
                         tn.nspname, t.relname,
                         case when (pg_catalog.to_jsonb(i)->>'indnullsnotdistinct')::bool
                              then 'true' else k.present end,
                         ' and (' || pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) || ')',
                         k.keys) end
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_class t on t.oid = i.indrelid
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
 cross join lateral (
       select exists (select from pg_catalog.pg_locks l
                       where l.relation in (i.indexrelid, i.indrelid) and l.granted
                         and l.mode = 'AccessExclusiveLock')) as locked (yes)
 cross join lateral (
       select pg_catalog.string_agg(key, ', ') as keys,
              pg_catalog.string_agg(key || ' is not null', ' and ') as present
         from (select case when not locked.yes then
                        '(' || pg_catalog.pg_get_indexdef(i.indexrelid, at, true) || ')' end as key
                 from pg_catalog.generate_series(1, i.indnkeyatts) as at) as each) as k
 where i.indisunique and i.indisvalid and c.relkind = 'i' and t.relpersistence = 'p'
   and tn.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')
 order by 1)";

constexpr std::array keys{
    KeyDescription{.name = "duplicates",
                   .kind = KeyKind::boolean,
                   .summary =
                       "look for duplicate keys in unique indexes (reads every table, promotes the "
                       "instance)",
                   .example = "true",
                   .default_value = "false"},
    KeyDescription{.name = "exclude",
                   .kind = KeyKind::text_list,
                   .summary = "indexes to exclude, as database.schema.index patterns",
                   .example = "[shop.staging.*]"}};

struct Flaw {
  std::string text;
  // The state of a command that was running, or of a design: production is or was in it, too.
  bool intended = true;
};

Flaw flaw_of(const Rows& rows, std::size_t row) {
  if (rows.text(row, 5) == "I") return {"invalid: it does not cover every partition (ON ONLY)"};
  if (rows.text(row, 6) == "t") return {"of a REINDEX CONCURRENTLY that is running or has failed"};
  if (rows.text(row, 4) != "t") return {"being dropped (indislive is false)"};
  if (rows.text(row, 3) != "t") return {"being built concurrently (indisready is false)"};
  return {"invalid: queries do not use it (indisvalid is false)", false};
}

// The indexes that are unusable on the primary, too; none if it cannot be asked.
std::set<std::string> unusable_on_primary(const InstanceContext& context,
                                          const std::string& database) {
  std::set<std::string> names;
  if (context.primary == nullptr) return names;
  try {
    const auto rows = context.primary->connect(database, context.stop).query(unusable_sql);
    for (std::size_t row = 0; row < rows.rows.size(); ++row) names.insert(rows.text(row, 0));
  } catch (const SqlError&) {
    // Without an answer, the index stays an error.
  }
  return names;
}

class Indexes : public InstanceCheck {
 public:
  explicit Indexes(const Settings& settings)
      : duplicates_(settings.get_or("duplicates", false)),
        exclude_(settings.get_or<std::vector<std::string>>("exclude", {})) {}

  CheckOutcome run(const LandedContext& context) override {
    std::vector<Finding> findings;
    std::vector<Finding> unread;
    std::uint64_t total = 0;
    auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      total += std::stoull(sql.query("select count(*) from pg_catalog.pg_index").text(0, 0));
      const auto rows = sql.query(unusable_sql);
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        if (exclude_.match_relation(database, rows.text(row, 0))) continue;
        findings.push_back(finding_of(context, database, rows, row));
      }
      if (duplicates_) look_for_duplicates(context, database, sql, findings, unread);
    });
    walk.not_looked_at.insert(walk.not_looked_at.end(), unread.begin(), unread.end());
    return outcome_of(std::move(findings), walk,
                      fmt::format("{} in {}", counted(total, "index", "indexes"),
                                  counted(walk.looked_at, "database", "databases")));
  }

 private:
  Finding finding_of(const InstanceContext& context, const std::string& database, const Rows& rows,
                     std::size_t row) {
    const auto object = fmt::format("{}.{}", database, rows.text(row, 0));
    const auto flaw = flaw_of(rows, row);
    bool shared = false;
    if (!flaw.intended) {
      const auto [found, asked] = on_primary_.try_emplace(database);
      if (asked) found->second = unusable_on_primary(context, database);
      shared = found->second.contains(rows.text(row, 0));
    }
    return {.code = FindingCode::index_invalid,
            .severity = flaw.intended || shared ? std::optional(Severity::note) : std::nullopt,
            .object = object,
            .message = fmt::format("index {} on {}.{} is {}{}", object, database, rows.text(row, 1),
                                   flaw.text, shared ? "; also on the primary" : ""),
            .hint = fmt::format("on the primary: REINDEX INDEX CONCURRENTLY {}, or drop it",
                                rows.text(row, 0)),
            .details = {{"table", fmt::format("{}.{}", database, rows.text(row, 1))},
                        {"indisvalid", rows.text(row, 2)},
                        {"indisready", rows.text(row, 3)},
                        {"indislive", rows.text(row, 4)}}};
  }

  // Expressions and predicates of indexes are code of the restored data.
  void look_for_duplicates(const InstanceContext& context, const std::string& database,
                           Connection& superuser, std::vector<Finding>& findings,
                           std::vector<Finding>& unread) const {
    auto sql = open_user_session(context, database, {});
    // Scan the table, not the index that may be damaged.
    for (const auto* method : {"indexscan", "indexonlyscan", "bitmapscan"}) {
      sql.query(fmt::format("set enable_{} = off", method));
    }
    const auto rows = superuser.query(unique_sql);
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      if (exclude_.match_relation(database, rows.text(row, 0))) continue;
      if (!rows.rows[row][2]) {
        unread.push_back(locked(fmt::format("{}.{}", database, rows.text(row, 0))));
        continue;
      }
      try {
        if (sql.query(rows.text(row, 2)).rows.empty()) continue;
      } catch (const SqlError& error) {
        if (error.sqlstate().empty()) throw;
        unread.push_back(not_searched(fmt::format("{}.{}", database, rows.text(row, 0)), error));
        continue;
      }
      const auto object = fmt::format("{}.{}", database, rows.text(row, 0));
      findings.push_back(
          {.code = FindingCode::index_duplicate,
           .object = object,
           .message = fmt::format("table {}.{} has rows with duplicate keys in unique index {}",
                                  database, rows.text(row, 1), object),
           .hint =
               "remove the duplicates on the primary, then REINDEX; check for a collation change",
           .details = {{"table", fmt::format("{}.{}", database, rows.text(row, 1))}}});
    }
  }

  static Finding locked(const std::string& index) {
    return {.code = FindingCode::relation_locked,
            .object = index,
            .message = fmt::format("index {} was not searched for duplicate keys: a transaction "
                                   "holds a lock on it or on its table",
                                   index),
            .hint = "commit or roll back the prepared transaction on the primary"};
  }

  static Finding not_searched(const std::string& index, const SqlError& error) {
    return {.code = FindingCode::database_unreadable,
            .object = index,
            .message = fmt::format("index {} was not searched for duplicate keys: {}", index,
                                   error.what()),
            .hint = "exclude it, or grant PUBLIC the rights that its functions need",
            .details = {{"sqlstate", error.sqlstate()}}};
  }

  bool duplicates_;
  NamePatterns exclude_;
  std::map<std::string, std::set<std::string>> on_primary_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::index_invalid,
    FindingCode::index_duplicate,
    FindingCode::database_unreadable,
    FindingCode::env_locale,
    FindingCode::relation_locked,
});

}  // namespace

CheckDescription indexes_check() {
  return {.name = "indexes",
          .summary =
              "no index is invalid, not ready or half dropped; no unique index has duplicate keys",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .keys = keys,
          .validate = validate<Indexes>,
          .create = create<Indexes>,
          .state_for = [](const Settings& settings) {
            return settings.get_or("duplicates", false) ? InstanceState::read_write
                                                        : InstanceState::paused;
          }};
}

}  // namespace pgrehearse
