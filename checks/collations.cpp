// Is text sorted as on the primary? A different C library or ICU sorts differently, and every index
// built with the old order then misses rows.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"

namespace pgrehearse {

namespace {

// A row is a collation whose version was recorded; indexes that sort by it are counted.
constexpr const char* collations_sql = R"(
select format('%I.%I', n.nspname, c.collname), c.collversion,
       pg_catalog.pg_collation_actual_version(c.oid),
       (select count(*) from pg_catalog.pg_index i
         where c.oid = any (i.indcollation::pg_catalog.oid[]))
  from pg_catalog.pg_collation c
  join pg_catalog.pg_namespace n on n.oid = c.collnamespace
 where c.collversion is not null
 order by 1)";

// One row: the database's own collation, which PostgreSQL 15 and newer record; indexes that sort by
// the default collation (oid 100) outside the catalogs, which sort by "C".
constexpr const char* default_sql = R"(
select d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid),
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

Finding mismatch(const Versions& versions) {
  return {.code = FindingCode::collation_version,
          .object = versions.object,
          .message = fmt::format(
              "{} was last used with version {}, this host has version {}; {} by it", versions.what,
              versions.recorded, versions.actual.empty() ? "(none)" : versions.actual,
              versions.indexes == "1" ? "1 index sorts" : versions.indexes + " indexes sort"),
          .hint =
              "run amcheck with heapallindexed; recover on a host with the primary's libraries, "
              "or REINDEX and ALTER ... REFRESH COLLATION VERSION",
          .details = {{"recorded", versions.recorded},
                      {"actual", versions.actual},
                      {"indexes", versions.indexes}}};
}

class Collations : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    std::vector<Finding> findings;
    std::uint64_t compared = 0;
    std::uint64_t defaults_unrecorded = 0;
    const auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      const auto rows = sql.query(collations_sql);
      compared += rows.rows.size();
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        if (rows.rows[row][1] == rows.rows[row][2]) continue;
        const auto object = fmt::format("{}.{}", database, rows.text(row, 0));
        findings.push_back(mismatch({.object = object,
                                     .what = "collation " + object,
                                     .recorded = rows.text(row, 1),
                                     .actual = rows.text(row, 2),
                                     .indexes = rows.text(row, 3)}));
      }
      if (sql.server_version() < first_version_with_database_collations) {
        ++defaults_unrecorded;
        return;
      }
      const auto own = sql.query(default_sql);
      if (!own.rows.at(0)[0]) {
        // "C" and "POSIX" have no version: nothing can change.
        if (own.rows[0][1]) ++defaults_unrecorded;
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
        fmt::format("{} in {}", counted(compared, "recorded version", "recorded versions"),
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
    FindingCode::database_unreadable,
    FindingCode::env_locale,
});

}  // namespace

CheckDescription collations_check() {
  return {.name = "collations",
          .summary = "collation versions are those that the indexes were built with",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .create = create<Collations>};
}

}  // namespace pgrehearse
