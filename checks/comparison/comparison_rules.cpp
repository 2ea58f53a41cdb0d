#include "checks/comparison/comparison_rules.hpp"

#include <fmt/format.h>

#include <array>

#include "checks/shared/name_patterns.hpp"

namespace pgrehearse {

namespace {

constexpr auto budget_keys = std::to_array<KeyDescription>({
    {.name = "time",
     .kind = KeyKind::duration,
     .summary = "time limit for reading the primary; the rest is reported as not compared",
     .example = "10min",
     .default_value = "none"},
    {.name = "connections",
     .kind = KeyKind::integer,
     .summary = "number of parallel connections",
     .example = "2",
     .default_value = "2"},
    {.name = "statement_timeout",
     .kind = KeyKind::duration,
     .summary = "time limit per statement (one statement per table)",
     .example = "5min",
     .default_value = "30min"},
    {.name = "max_snapshot_age",
     .kind = KeyKind::duration,
     .summary = "maximum time to keep the snapshot open; meanwhile it holds back vacuum",
     .example = "30min",
     .default_value = "none"},
    {.name = "max_replica_lag",
     .kind = KeyKind::duration,
     .summary = "stop reading when a standby lags by more than this",
     .example = "1min",
     .default_value = "none"},
});

constexpr std::array<std::string_view, 2> uncompared_choices{"unknown", "pass"};

constexpr auto keys = std::to_array<KeyDescription>({
    {.name = "against",
     .kind = KeyKind::text,
     .summary = "`primary`, or a file made by `pgrehearse fingerprint`",
     .example = "primary",
     .default_value = "primary"},
    {.name = "sample",
     .kind = KeyKind::percentage,
     .summary =
         "share of blocks to read in each table of 8 MB or more (the same blocks on both sides)",
     .example = "1%",
     .default_value = "everything"},
    {.name = "budget",
     .kind = KeyKind::section,
     .summary = "limits for reading the primary",
     .example = "{ time: 10min, connections: 2 }",
     .children = budget_keys},
    {.name = "tables",
     .kind = KeyKind::text_map,
     .summary = "exclude, count_only or full, by database.schema.table pattern; the longest "
                "matching pattern wins",
     .example = "{ shop.audit.*: count_only, shop.public.sessions: exclude }"},
    {.name = "drill_down",
     .kind = KeyKind::boolean,
     .summary = "list the keys that differ; keeps the primary's snapshot open until the comparison",
     .example = "true",
     .default_value = "false"},
    {.name = "keys",
     .kind = KeyKind::integer,
     .summary = "number of differing keys to show per table",
     .example = "20",
     .default_value = "20"},
    {.name = "tolerance",
     .kind = KeyKind::percentage,
     .summary = "allowed difference in row counts if the comparison is approximate",
     .example = "1%",
     .default_value = "0%"},
    {.name = "uncompared",
     .kind = KeyKind::choice,
     .summary = "verdict if part of the primary could not be read (budget, permission, lock)",
     .example = "pass",
     .default_value = "unknown",
     .choices = uncompared_choices},
});

// Smaller tables are read completely: a sample would be a few blocks.
constexpr std::int64_t smallest_sampled = 1024;  // pages: 8 MB
// A new seed per drill, so that other blocks are read each time; the fingerprint records it.
constexpr std::int64_t seeds = 1'000'000;

TableRule parse_rule(const std::string& pattern, const std::string& text) {
  if (text == "exclude") return TableRule::exclude;
  if (text == "count_only") return TableRule::count_only;
  if (text == "full") return TableRule::full;
  throw Error(ErrorKind::usage,
              fmt::format("comparison.tables: '{}' is not a valid rule for {}", text, pattern),
              "use exclude, count_only or full");
}

std::optional<TableRule> rule_for(const std::map<std::string, TableRule>& tables,
                                  const std::string& name) {
  std::optional<TableRule> chosen;
  std::size_t longest = 0;
  for (const auto& [pattern, rule] : tables) {
    if (pattern.size() < longest || !matches_pattern(pattern, name)) continue;
    chosen = rule;
    longest = pattern.size();
  }
  return chosen;
}

Coverage coverage_of(const ComparisonRules& rules, const std::string& name, std::int64_t pages) {
  if (const auto rule = rule_for(rules.tables, name)) {
    if (*rule == TableRule::exclude) return Coverage::none;
    return *rule == TableRule::full ? Coverage::full : Coverage::counted;
  }
  return rules.sample > 0 && pages >= smallest_sampled ? Coverage::sampled : Coverage::full;
}

}  // namespace

std::span<const KeyDescription> comparison_keys() { return keys; }

ComparisonRules comparison_rules_of(const Settings& settings) {
  using std::chrono::milliseconds;
  ComparisonRules rules{
      .against = settings.get_or<std::string>("against", "primary"),
      .sample = settings.get_or<double>("sample", 0),
      .tolerance = settings.get_or<double>("tolerance", 0),
      .drill_down = settings.get_or("drill_down", false),
      .uncompared_passes = settings.get_or<std::string>("uncompared", "unknown") == "pass",
      .keys = static_cast<std::size_t>(settings.get_or<std::int64_t>("keys", 20)),
      .budget = {.time = settings.get<milliseconds>("budget.time"),
                 .connections = static_cast<std::size_t>(
                     settings.get_or<std::int64_t>("budget.connections", 2)),
                 .statement_timeout = settings.get<milliseconds>("budget.statement_timeout"),
                 .max_snapshot_age = settings.get<milliseconds>("budget.max_snapshot_age"),
                 .max_replica_lag = settings.get<milliseconds>("budget.max_replica_lag")}};
  for (const auto& [pattern, text] :
       settings.get_or<std::map<std::string, std::string>>("tables", {})) {
    rules.tables[pattern] = parse_rule(pattern, text);
  }
  if (rules.budget.connections == 0) {
    throw Error(ErrorKind::usage, "comparison.budget.connections: must be at least 1");
  }
  if (rules.sample > 1) {
    throw Error(ErrorKind::usage, "comparison.sample: must be at most 100%");
  }
  return rules;
}

FingerprintRules fingerprint_rules_of(const ComparisonRules& rules) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seed = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() % seeds;
  return {.database =
              [rules](std::string_view database) {
                // A pattern that excludes all relations excludes the database.
                return rule_for(rules.tables, fmt::format("{}.", database)) != TableRule::exclude;
              },
          .relation =
              [rules](std::string_view database, std::string_view relation, std::int64_t pages) {
                return coverage_of(rules, fmt::format("{}.{}", database, relation), pages);
              },
          .sample = {.percentage = rules.sample * 100, .seed = rules.sample > 0 ? seed : 0},
          .budget = rules.budget};
}

}  // namespace pgrehearse
