// Does an SQL statement of the scenario return the expected result?
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/parsers/expectation.hpp"
#include "checks/shared/user_session.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

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
                   .summary = "expected value of the first column of the first row, or `no rows`",
                   .example = "true",
                   .required = true,
                   .children = expect_keys},
    KeyDescription{.name = "as",
                   .kind = KeyKind::text,
                   .summary = "role to run it as, or `superuser` (does not promote the instance); "
                              "default: a role that may only read (promotes the instance)",
                   .example = "app"},
    KeyDescription{.name = "timeout",
                   .kind = KeyKind::duration,
                   .summary = "time limit for the statement",
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

std::string role_of(const Settings& settings) { return settings.get_or<std::string>("as", ""); }

// Roles cannot be created while recovery is paused.
InstanceState state_for(const Settings& settings) {
  return role_of(settings) == "superuser" ? InstanceState::paused : InstanceState::read_write;
}

class Query : public InstanceCheck {
 public:
  explicit Query(const Settings& settings)
      : database_(settings.get_or<std::string>("database", "")),
        sql_(settings.get_or<std::string>("sql", "")),
        role_(role_of(settings)),
        expectation_(settings.get_or<std::map<std::string, std::string>>("expect", {})),
        timeout_(settings.get_or<std::chrono::milliseconds>("timeout", std::chrono::minutes(5))) {}

  CheckOutcome run(const LandedContext& context) override {
    if (std::find(context.databases.begin(), context.databases.end(), database_) ==
        context.databases.end()) {
      return failed("database " + database_, no_database(context));
    }
    try {
      auto connection = open_user_session(context, database_, role_);
      const std::array<Field, 1> limit{std::to_string(timeout_.count())};
      connection.query("select pg_catalog.set_config('statement_timeout', $1, false)", limit);
      return evaluate(connection.query(sql_));
    } catch (const SqlError& error) {
      if (error.sqlstate().empty())
        throw;  // the connection broke: that says nothing about the data
      return sql_failure(error);
    }
  }

 private:
  [[nodiscard]] CheckOutcome evaluate(const Rows& rows) const {
    const auto mismatch = expectation_.mismatch(rows);
    if (!mismatch) {
      return {.verdict = Verdict::pass,
              .summary = fmt::format("as expected: {}", expectation_.description())};
    }
    Finding finding{.code = FindingCode::query_mismatch,
                    .object = database_,
                    .message = fmt::format("the query in database {} {}, expected {}", database_,
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
    // The login that may only read has fewer rights than the application.
    const bool forbidden = role_.empty() && error.sqlstate() == "42501";
    const bool locked = error.sqlstate() == "55P03";
    Finding finding{.code = too_slow ? FindingCode::query_timeout
                            : locked ? FindingCode::relation_locked
                                     : FindingCode::query_error,
                    .object = database_,
                    .message = fmt::format("the query in database {} failed: {} (SQLSTATE {})",
                                           database_, error.what(), error.sqlstate()),
                    .hint = too_slow ? "raise `timeout`"
                            : locked ? "commit or roll back the prepared transaction on the primary"
                            : forbidden ? "set `as` to the application's role, or to `superuser`"
                                        : "run the same query on the primary",
                    .details = {{"sql", sql_}, {"sqlstate", error.sqlstate()}}};
    auto outcome = failed(fmt::format("SQLSTATE {}", error.sqlstate()), std::move(finding));
    // No evidence about the data.
    if (too_slow || forbidden || locked) {
      outcome.verdict = Verdict::unknown;
      outcome.findings.front().severity = Severity::unknown;
    }
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
  std::string role_;  // empty: the login that may only read
  Expectation expectation_;
  std::chrono::milliseconds timeout_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::query_mismatch,
    FindingCode::query_error,
    FindingCode::query_timeout,
    FindingCode::query_database,
    FindingCode::relation_locked,
});

}  // namespace

CheckDescription query_check() {
  return {.name = "query",
          .summary = "an SQL statement returns the expected result",
          .finds = finding_codes,
          .state = InstanceState::read_write,
          .weight = 10,
          .keys = keys,
          .validate = validate<Query>,
          .create = create<Query>,
          .state_for = state_for};
}

}  // namespace pgrehearse
