// Does an SQL statement of the scenario return the expected result?
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/parsers/expectation.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// The search path that an application's session would have here: its database's or role's own
// setting, else PostgreSQL's default. One row, the most specific setting first.
constexpr const char* search_path_sql = R"(
select pg_catalog.substr(entry, pg_catalog.length('search_path=') + 1)
  from pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) as entry
 where entry like 'search\_path=%' and s.setrole = 0
   and s.setdatabase in (0, (select oid from pg_catalog.pg_database
                              where datname = pg_catalog.current_database()))
 order by s.setdatabase desc
 limit 1)";

constexpr std::array expect_keys{
    KeyDescription{.name = "equals",
                   .kind = KeyKind::scalar,
                   .summary = "the value; numbers are compared as numbers, t equals true",
                   .example = "42"},
    KeyDescription{.name = "at_least",
                   .kind = KeyKind::scalar,
                   .summary = "smallest allowed number or time",
                   .example = "1000"},
    KeyDescription{.name = "at_most",
                   .kind = KeyKind::scalar,
                   .summary = "largest allowed number or time",
                   .example = "5000"},
    KeyDescription{.name = "matches",
                   .kind = KeyKind::text,
                   .summary = "a regular expression (ECMAScript) that matches part of the value",
                   .example = "'^v[0-9]+'"},
    KeyDescription{.name = "rows",
                   .kind = KeyKind::integer,
                   .summary = "number of rows returned",
                   .example = "12"},
};

constexpr std::array keys{
    KeyDescription{.name = "database",
                   .kind = KeyKind::text,
                   .summary = "database to run the statement in",
                   .example = "shop",
                   .required = true},
    KeyDescription{.name = "sql",
                   .kind = KeyKind::text,
                   .summary = "the SQL statement",
                   .example = "select count(*) from orders",
                   .required = true},
    KeyDescription{.name = "expect",
                   .kind = KeyKind::expectation,
                   .summary = "the first column of the first row, or `no rows`",
                   .example = "true",
                   .required = true,
                   .children = expect_keys},
    KeyDescription{.name = "timeout",
                   .kind = KeyKind::duration,
                   .summary = "time limit of the statement",
                   .example = "30s",
                   .default_value = "5min"},
};

// The first rows, so that the reader sees what should not be there.
std::string shown(const Rows& rows) {
  constexpr std::size_t most_rows = 5;
  constexpr std::size_t most_characters = 60;
  std::string text;
  for (std::size_t row = 0; row < std::min(most_rows, rows.rows.size()); ++row) {
    std::vector<std::string> fields;
    for (const auto& field : rows.rows[row]) {
      fields.push_back(field ? field->substr(0, most_characters) : "NULL");
    }
    text += fmt::format("{}({})", text.empty() ? "" : " ", join(fields, ", "));
  }
  if (rows.rows.size() > most_rows)
    text += fmt::format(" and {} more", rows.rows.size() - most_rows);
  return text;
}

class Query : public InstanceCheck {
 public:
  explicit Query(const Settings& settings)
      : database_(settings.get_or<std::string>("database", "")),
        sql_(settings.get_or<std::string>("sql", "")),
        expectation_(settings.get_or<std::map<std::string, std::string>>("expect", {})),
        timeout_(settings.get_or<std::chrono::milliseconds>("timeout", std::chrono::minutes(5))) {}

  CheckOutcome run(const LandedContext& context) override {
    if (std::find(context.databases.begin(), context.databases.end(), database_) ==
        context.databases.end()) {
      return failed("database " + database_, no_database(context));
    }
    auto connection = context.connect(database_);
    prepare_session(connection);
    try {
      return evaluate(connection.query(sql_));
    } catch (const SqlError& error) {
      if (error.sqlstate().empty())
        throw;  // the connection broke: that says nothing about the data
      return sql_failure(error);
    }
  }

 private:
  void prepare_session(Connection& connection) const {
    const auto path = connection.query(search_path_sql);
    // A list as SET takes it, which set_config() takes as well.
    const std::array<Field, 2> parameters{path.rows.empty() ? "\"$user\", public" : path.text(0, 0),
                                          std::to_string(timeout_.count())};
    connection.query(
        "select pg_catalog.set_config('search_path', $1, false), "
        "pg_catalog.set_config('statement_timeout', $2, false)",
        parameters);
  }

  [[nodiscard]] CheckOutcome evaluate(const Rows& rows) const {
    const auto mismatch = expectation_.mismatch(rows);
    if (!mismatch) {
      return {.verdict = Verdict::pass,
              .summary = fmt::format("as expected: {}", expectation_.description())};
    }
    Finding finding{.code = FindingCode::query_mismatch,
                    .object = database_,
                    .message = fmt::format("in database {} the query {}, expected {}", database_,
                                           *mismatch, expectation_.description()),
                    .details = {{"sql", sql_}, {"rows", std::to_string(rows.rows.size())}}};
    if (expectation_.wants_no_rows()) {
      finding.message += ": " + shown(rows);
    } else if (!rows.rows.empty() && !rows.rows[0].empty()) {
      finding.details["value"] = rows.rows[0][0].value_or("NULL");
    }
    return failed(*mismatch, std::move(finding));
  }

  [[nodiscard]] CheckOutcome sql_failure(const SqlError& error) const {
    const bool too_slow = error.sqlstate() == "57014";
    Finding finding{.code = too_slow ? FindingCode::query_timeout : FindingCode::query_error,
                    .object = database_,
                    .message = fmt::format("in database {} the query failed: {} (SQLSTATE {})",
                                           database_, error.what(), error.sqlstate()),
                    .hint = too_slow ? "give it more time with `timeout`"
                                     : "check that it works on the primary",
                    .details = {{"sql", sql_}, {"sqlstate", error.sqlstate()}}};
    auto outcome = failed(fmt::format("SQLSTATE {}", error.sqlstate()), std::move(finding));
    // A timeout is no evidence about the data.
    if (too_slow) outcome.verdict = Verdict::unknown;
    return outcome;
  }

  [[nodiscard]] Finding no_database(const InstanceContext& context) const {
    const auto near = nearest(database_, context.databases);
    return {
        .code = FindingCode::query_database,
        .object = database_,
        .message = fmt::format("database {} does not exist in the restored cluster, which has {}",
                               database_, join(context.databases, ", ")),
        .hint = near ? fmt::format("did you mean '{}'?", *near) : "",
        .details = {{"sql", sql_}}};
  }

  static CheckOutcome failed(std::string summary, Finding finding) {
    return {
        .verdict = Verdict::fail, .findings = {std::move(finding)}, .summary = std::move(summary)};
  }

  std::string database_;
  std::string sql_;
  Expectation expectation_;
  std::chrono::milliseconds timeout_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::query_mismatch,
    FindingCode::query_error,
    FindingCode::query_timeout,
    FindingCode::query_database,
});

}  // namespace

CheckDescription query_check() {
  return {.name = "query",
          .summary = "an SQL statement returns the expected result",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .weight = 10,
          .keys = keys,
          .validate = validate<Query>,
          .create = create<Query>};
}

}  // namespace pgrehearse
