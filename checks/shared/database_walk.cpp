#include "checks/shared/database_walk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

DatabaseWalk walk_databases(
    const InstanceContext& context,
    const std::function<void(const std::string& database, Connection& connection)>& look) {
  DatabaseWalk walk;
  std::uint64_t done = 0;
  for (const auto& database : context.databases) {
    try {
      auto connection = context.connect(database);
      look(database, connection);
      ++walk.looked_at;
    } catch (const SqlError& error) {
      walk.not_looked_at.push_back(unreadable_database(database, error));
    }
    ++done;
    if (context.on_progress) context.on_progress(done, context.databases.size(), "databases");
  }
  return walk;
}

Finding unreadable_database(const std::string& database, const SqlError& error) {
  const bool explained = error.code() != FindingCode::none;
  return {.code = explained ? error.code() : FindingCode::database_unreadable,
          .object = database,
          .message = fmt::format("database {} could not be checked: {}", database, error.what()),
          .hint = explained
                      ? error.hint()
                      : "run the check `databases` to see whether the database accepts connections",
          .details = {{"sqlstate", error.sqlstate()}}};
}

CheckOutcome outcome_of(std::vector<Finding> findings, const DatabaseWalk& walk,
                        std::string summary) {
  CheckOutcome outcome{
      .verdict = Verdict::pass, .findings = std::move(findings), .summary = std::move(summary)};
  const auto any = [&](Severity severity) {
    return std::any_of(outcome.findings.begin(), outcome.findings.end(),
                       [&](const auto& finding) { return severity_of(finding) == severity; });
  };
  if (!walk.not_looked_at.empty() || walk.looked_at == 0 || any(Severity::unknown)) {
    outcome.verdict = Verdict::unknown;
  }
  if (any(Severity::error)) outcome.verdict = Verdict::fail;
  outcome.findings.insert(outcome.findings.end(), walk.not_looked_at.begin(),
                          walk.not_looked_at.end());
  return outcome;
}

}  // namespace pgrehearse
