#include "harness/scenario/language/scenario_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::vector<ScenarioError> sorted(std::vector<ScenarioError> entries) {
  const auto order = [](const ScenarioError& error) {
    return std::tuple(error.position.line == 0, error.position.line, error.position.column);
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& left, const auto& right) { return order(left) < order(right); });
  return entries;
}

std::string lines(const std::vector<ScenarioError>& entries) {
  std::vector<std::string> lines;
  lines.reserve(entries.size());
  for (const auto& entry : entries) {
    lines.push_back(fmt::format("{}: {}", to_text(entry.position), entry.message));
  }
  return join(lines, "\n");
}

}  // namespace

ScenarioErrors::ScenarioErrors(std::vector<ScenarioError> entries)
    : Error(ErrorKind::usage, lines(sorted(entries))), entries_(sorted(std::move(entries))) {}

std::string hint_for_unknown(std::string_view word, const std::vector<std::string>& known) {
  if (const auto near = nearest(word, known)) return fmt::format("did you mean '{}'?", *near);
  if (known.empty()) return "no name is valid here";
  return fmt::format("known: {}", join(known, ", "));
}

}  // namespace pgrehearse
