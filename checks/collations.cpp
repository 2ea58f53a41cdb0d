// Is text sorted as on the primary? A different C library or ICU sorts differently, and every index
// built with the old order then misses rows.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

// A row is a collation that has a version, recorded or actual; indexes that sort by it are counted.
constexpr const char* collations_sql = R"(
select format('%I.%I', n.nspname, c.collname), c.collversion,
       pg_catalog.pg_collation_actual_version(c.oid),
       (select count(*) from pg_catalog.pg_index i
         where c.oid = any (i.indcollation::pg_catalog.oid[]))
  from pg_catalog.pg_collation c
  join pg_catalog.pg_namespace n on n.oid = c.collnamespace
 where coalesce(c.collversion, pg_catalog.pg_collation_actual_version(c.oid)) is not null
   and c.collencoding in (-1, (select d.encoding from pg_catalog.pg_database d
                                where d.datname = pg_catalog.current_database()))
 order by 1)";

// One row: the database's own collation, which PostgreSQL 15 and newer record; indexes that sort by
// the default collation (oid 100) outside the catalogs, which sort by "C".
constexpr const char* default_sql = R"(
select d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid),
       (select count(*) from pg_catalog.pg_index i
         where 100::pg_catalog.oid = any (i.indcollation::pg_catalog.oid[]))
  from pg_catalog.pg_database d
 where d.datname = pg_catalog.current_database())";

// Before PostgreSQL 15: whether the default collation can change, and indexes that sort by it.
constexpr const char* default_before_15_sql = R"(
select d.datcollate not in ('C', 'POSIX'),
       (select count(*) from pg_catalog.pg_index i
         where 100::pg_catalog.oid = any (i.indcollation::pg_catalog.oid[]))
  from pg_catalog.pg_database d
 where d.datname = pg_catalog.current_database())";

constexpr int first_version_with_database_collations = 150000;

struct Versions {
  std::string object;
  std::string what;
  std::string recorded;
  std::string actual;
  std::string indexes;
};

std::string sorted_by(const std::string& indexes) {
  return indexes == "1" ? "1 index sorts by it" : indexes + " indexes sort by it";
}

Finding unrecorded(const std::string& object, const std::string& what, const std::string& indexes) {
  return {
      .code = FindingCode::check_not_run,
      .object = object,
      .message = fmt::format("no version was recorded for {}, so a change cannot be detected; {}",
                             what, sorted_by(indexes)),
      .hint =
          "run amcheck with heapallindexed; from PostgreSQL 15 on, ALTER ... REFRESH "
          "COLLATION VERSION records the version",
      .details = {{"indexes", indexes}}};
}

// No index sorts by an unused collation, so nothing is damaged.
Finding mismatch(const Versions& versions) {
  return {.code = FindingCode::collation_version,
          .severity = versions.indexes == "0" ? std::optional(Severity::note) : std::nullopt,
          .object = versions.object,
          .message = fmt::format("{} was last used with version {}, this host has version {}; {}",
                                 versions.what, versions.recorded,
                                 versions.actual.empty() ? "(none)" : versions.actual,
                                 sorted_by(versions.indexes)),
          .hint =
              "recover on a host with the primary's libc and ICU versions, or run amcheck with "
              "heapallindexed, REINDEX the affected indexes and run ALTER ... REFRESH COLLATION "
              "VERSION",
          .details = {{"recorded", versions.recorded},
                      {"actual", versions.actual},
                      {"indexes", versions.indexes}}};
}

Finding default_unrecorded(const std::string& database, const std::string& indexes) {
  return unrecorded(database, fmt::format("database {}'s default collation", database), indexes);
}

class Collations : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    std::vector<Finding> findings;
    std::uint64_t compared = 0;
    std::uint64_t defaults_unrecorded = 0;
    const auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      const auto rows = sql.query(collations_sql);
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        const auto object = fmt::format("{}.{}", database, rows.text(row, 0));
        if (!rows.rows[row][1]) {
          if (rows.text(row, 3) == "0") continue;
          findings.push_back(unrecorded(object, "collation " + object, rows.text(row, 3)));
          continue;
        }
        ++compared;
        if (rows.rows[row][1] == rows.rows[row][2]) continue;
        findings.push_back(mismatch({.object = object,
                                     .what = "collation " + object,
                                     .recorded = rows.text(row, 1),
                                     .actual = rows.text(row, 2),
                                     .indexes = rows.text(row, 3)}));
      }
      if (sql.server_version() < first_version_with_database_collations) {
        const auto before = sql.query(default_before_15_sql);
        if (before.text(0, 0) != "t") return;
        ++defaults_unrecorded;
        if (before.text(0, 1) != "0")
          findings.push_back(default_unrecorded(database, before.text(0, 1)));
        return;
      }
      const auto own = sql.query(default_sql);
      if (!own.rows.at(0)[0]) {
        // "C" and "POSIX" have no version: nothing can change.
        if (!own.rows[0][1]) return;
        ++defaults_unrecorded;
        if (own.text(0, 2) != "0") findings.push_back(default_unrecorded(database, own.text(0, 2)));
        return;
      }
      ++compared;
      if (own.rows[0][0] == own.rows[0][1]) return;
      findings.push_back(mismatch({.object = database,
                                   .what = fmt::format("database {}'s default collation", database),
                                   .recorded = own.text(0, 0),
                                   .actual = own.text(0, 1),
                                   .indexes = own.text(0, 2)}));
    });
    auto summary =
        fmt::format("{} in {}", counted(compared, "collation version", "collation versions"),
                    counted(walk.looked_at, "database", "databases"));
    if (defaults_unrecorded > 0) {
      summary += fmt::format("; {} without a recorded version of the default collation",
                             counted(defaults_unrecorded, "database", "databases"));
    }
    return outcome_of(std::move(findings), walk, std::move(summary));
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::collation_version,
    FindingCode::check_not_run,
    FindingCode::database_unreadable,
    FindingCode::env_locale,
});

}  // namespace

CheckDescription collations_check() {
  return {.name = "collations",
          .summary = "collation versions on this host match the recorded versions",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .create = create<Collations>};
}

}  // namespace pgrehearse
