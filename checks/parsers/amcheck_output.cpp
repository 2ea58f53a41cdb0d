#include "checks/parsers/amcheck_output.hpp"

#include <algorithm>
#include <array>

#include "checks/parsers/labeled_values.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using std::string_view_literals::operator""sv;

// heap table "DATABASE.SCHEMA.RELATION", block N, offset N, attribute N:
// btree index "DATABASE.SCHEMA.RELATION":
std::optional<AmcheckComplaint> parse_heading(std::string_view line) {
  constexpr auto heap = "heap table \""sv;
  constexpr auto index = "btree index \""sv;
  const bool is_heap = line.starts_with(heap);
  if (!is_heap && !line.starts_with(index)) return {};
  const auto name = is_heap ? heap.size() : index.size();
  const auto quote = line.rfind('"');
  if (quote < name || line.find(':', quote) == std::string_view::npos) return {};
  const auto place = line.substr(quote);
  AmcheckComplaint complaint{
      .kind = is_heap ? AmcheckRelationKind::heap : AmcheckRelationKind::index,
      .relation = std::string(line.substr(name, quote - name)),
      .block = number_after(place, ", block "),
      .offset = number_after(place, ", offset "),
      .attribute = number_after(place, ", attribute ")};
  complaint.message = trim(place.substr(place.find(':') + 1));
  return complaint;
}

bool says_nothing_of_the_data(std::string_view message) {
  constexpr std::array fragments{
      "out of memory"sv,
      "out of shared memory"sv,
      "canceling statement"sv,
      "terminating connection"sv,
      "No space left on device"sv,
      "could not resize shared memory"sv,
      "could not write"sv,
      "permission denied"sv,
      "Permission denied"sv,
      "Too many open files"sv,
      "Input/output error"sv,
      "recovery is in progress"sv,
      "cannot be executed during recovery"sv,
      "during recovery"sv,
  };
  return std::any_of(fragments.begin(), fragments.end(), [&](std::string_view fragment) {
    return message.find(fragment) != std::string_view::npos;
  });
}

void add_line(AmcheckComplaint& complaint, std::string_view line) {
  line = trim(line);
  if (line.starts_with("HINT:")) {
    complaint.hint = trim(line.substr(5));
    return;
  }
  if (line.starts_with("ERROR:")) {
    line = trim(line.substr(6));
    complaint.environment = says_nothing_of_the_data(line);
  }
  if (line.empty()) return;
  if (!complaint.message.empty()) complaint.message += "; ";
  complaint.message += line;
}

void parse_error_line(std::string_view line, AmcheckOutput& result) {
  constexpr auto error = "pg_amcheck: error: "sv;
  constexpr auto skipping = "pg_amcheck: warning: skipping database \""sv;
  if (line.starts_with(error)) {
    result.errors.emplace_back(line.substr(error.size()));
  } else if (line.starts_with(skipping) && line.ends_with("amcheck is not installed")) {
    const auto rest = line.substr(skipping.size());
    result.without_extension.emplace_back(rest.substr(0, rest.rfind('"')));
  }
}

}  // namespace

AmcheckOutput parse_amcheck(std::string_view output, std::string_view error_output) {
  AmcheckOutput result;
  for (const auto line : lines_of(output)) {
    if (auto complaint = parse_heading(line)) {
      result.complaints.push_back(std::move(*complaint));
    } else if (line.starts_with("    ") && !result.complaints.empty()) {
      add_line(result.complaints.back(), line);
    }
  }
  for (const auto line : lines_of(error_output)) parse_error_line(line, result);
  return result;
}

std::optional<AmcheckProgress> parse_amcheck_progress(std::string_view line) {
  const auto relations = line.find(" relations (");
  const auto comma = line.find("), ");
  if (relations == std::string_view::npos || comma == std::string_view::npos) return {};
  const auto rest = line.substr(comma + 3);
  const auto done = number_at_start(line);
  const auto all = number_after(line, "/");
  const auto pages_done = number_at_start(rest);
  const auto pages = number_after(rest, "/");
  if (!done || !all || !pages_done || !pages) return {};
  return AmcheckProgress{
      .relations_done = *done, .relations = *all, .pages_done = *pages_done, .pages = *pages};
}

}  // namespace pgrehearse
