// Does every database accept connections? One whose files were removed before its DROP DATABASE was
// replayed does not.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

// A row is a database. An interrupted DROP DATABASE leaves datconnlimit at -2.
constexpr const char* databases_sql = R"(
select datname, datallowconn, datconnlimit = -2
  from pg_catalog.pg_database
 order by datname)";

// Casts, operators and functions that every supported version has. Where one is missing, the
// catalog is damaged: the other checks cannot read this database either.
constexpr const char* built_in_sql = R"(
select 'pg_catalog.pg_class'::regclass = 1259::oid, 1::oid = 1::integer,
       quote_ident('a'::name) = 'a', 'a'::name = 'a'::text, 'a' like 'a', format('%s', 1) = '1',
       1 + 1.5 > 1::bigint, now() > '2000-01-01'::date, array[1] = '{1}'::int[],
       (select count(*) > 0 from pg_catalog.pg_attribute
         where attrelid = 'pg_catalog.pg_class'::regclass))";

class Databases : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    const auto rows = context.connect({}).query(databases_sql);
    std::uint64_t accepted = 0;
    std::uint64_t closed = 0;
    CheckOutcome outcome{.verdict = Verdict::pass};
    std::vector<Finding> untried;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      const auto& database = rows.text(row, 0);
      if (rows.text(row, 2) == "t") {
        outcome.findings.push_back(invalid(database));
      } else if (rows.text(row, 1) != "t") {
        ++closed;
      } else if (auto refusal = try_to_connect(context, database)) {
        auto& list = refusal->code == FindingCode::database_connect ? outcome.findings : untried;
        list.push_back(std::move(*refusal));
      } else {
        ++accepted;
      }
      if (context.on_progress) context.on_progress(row + 1, rows.rows.size(), "databases");
    }
    if (!outcome.findings.empty()) {
      outcome.verdict = Verdict::fail;
    } else if (accepted == 0 || !untried.empty()) {
      outcome.verdict = Verdict::unknown;
    }
    outcome.findings.insert(outcome.findings.end(), untried.begin(), untried.end());
    outcome.summary =
        fmt::format("{} accepted a connection", counted(accepted, "database", "databases"));
    if (closed > 0) {
      outcome.summary += fmt::format(", {} not tried (datallowconn is false)", closed);
    }
    return outcome;
  }

 private:
  static Finding invalid(const std::string& database) {
    return {
        .code = FindingCode::database_invalid,
        .object = database,
        .message = fmt::format(
            "database {} is invalid (datconnlimit -2): a DROP DATABASE was interrupted", database),
        .hint =
            "choose a recovery target before the DROP DATABASE, or drop the invalid database on "
            "the primary",
        .details = {{"datconnlimit", "-2"}}};
  }

  static std::optional<Finding> try_to_connect(const InstanceContext& context,
                                               const std::string& database) {
    try {
      // A session may start from cached catalogs: read one from its files as well.
      auto connection = context.connect(database);
      connection.query("select count(*) from pg_catalog.pg_class");
      connection.query(built_in_sql);
      return {};
    } catch (const SqlError& error) {
      if (error.code() != FindingCode::none) return unreadable_database(database, error);
      // Class 42: something that the statement names does not exist.
      const bool damaged = error.sqlstate().starts_with("42");
      return Finding{
          .code = FindingCode::database_connect,
          .object = database,
          .message = damaged ? fmt::format("the system catalog of database {} is damaged: {}",
                                           database, error.what())
                             : fmt::format("database {} does not accept connections: {}", database,
                                           error.what()),
          .hint = damaged ? "restore an older backup, and check the database on the primary"
                          : "check for a DROP DATABASE near the recovery target, or a partial "
                            "restore (db-include)",
          .details = {{"sqlstate", error.sqlstate()}}};
    }
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::database_connect,
    FindingCode::database_invalid,
    FindingCode::env_locale,
});

}  // namespace

CheckDescription databases_check() {
  return {.name = "databases",
          .summary = "every database with datallowconn accepts connections; none is invalid",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .create = create<Databases>};
}

}  // namespace pgrehearse
