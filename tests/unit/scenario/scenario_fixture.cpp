#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {

namespace {

void validate_query(const Settings& settings) {
  if (settings.get<std::string>("sql") == "drop") {
    throw Error(ErrorKind::usage, "the query writes", "use select");
  }
}

constexpr auto amcheck_keys = std::to_array<KeyDescription>({
    {.name = "heapallindexed", .kind = KeyKind::boolean, .summary = "heap too", .example = "true"},
    {.name = "exclude", .kind = KeyKind::text_list, .summary = "left out", .example = "[a]"},
    {.name = "parallel", .kind = KeyKind::integer, .summary = "jobs", .example = "2"},
});

constexpr auto expect_keys = std::to_array<KeyDescription>({
    {.name = "at_least", .kind = KeyKind::number, .summary = "lower bound", .example = "1"},
});

constexpr auto query_keys = std::to_array<KeyDescription>({
    {.name = "sql", .summary = "the query", .example = "select 1", .required = true},
    {.name = "expect",
     .kind = KeyKind::expectation,
     .summary = "what comes back",
     .example = "true",
     .required = true,
     .children = expect_keys},
    {.name = "tolerance", .kind = KeyKind::percentage, .summary = "slack", .example = "1%"},
    {.name = "factor", .kind = KeyKind::number, .summary = "a number", .example = "1.5"},
    {.name = "with", .kind = KeyKind::text_map, .summary = "settings", .example = "{ a: b }"},
});

constexpr auto checks = std::to_array<CheckDescription>({
    {.name = "amcheck", .summary = "indexes", .keys = amcheck_keys},
    {.name = "page_checksums", .summary = "pages"},
    {.name = "identity", .summary = "the same", .needs_primary = true},
    {.name = "patroni_bootstrap", .summary = "a cluster", .needs_local_sandbox = true},
    {.name = "query", .summary = "any SQL", .keys = query_keys, .validate = validate_query},
});

}  // namespace

std::span<const CheckDescription> fixture_checks() { return checks; }

Scenario parse(const std::string& text, const std::vector<std::string>& overrides) {
  return parse_scenario(text, "s.yaml", overrides, fixture_checks());
}

std::string errors_of(const std::string& text, const std::vector<std::string>& overrides) {
  try {
    parse(text, overrides);
  } catch (const ScenarioErrors& errors) {
    std::string all;
    for (const auto& entry : errors.entries()) {
      all += to_text(entry.position) + ": " + entry.message;
      if (!entry.hint.empty()) all += " | " + entry.hint;
      all += "\n";
    }
    return all;
  }
  return {};
}

}  // namespace pgrehearse
