#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <kainjow/mustache.hpp>
#include <ranges>

#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"
#include "harness/common/version.hpp"
#include "harness/report/headline.hpp"
#include "harness/reporting/formats.hpp"
#include "harness/reporting/html/drawing_svg.hpp"
#include "harness/reporting/html/templates.hpp"
#include "harness/reporting/html/trend_svg.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/recovery_drawing.hpp"

namespace pgrehearse {

namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

constexpr std::size_t most_findings = 200;

// The template escapes markup; this makes control characters visible.
data text(std::string_view value) { return data(printable(value)); }

data list() { return data(data::type::list); }

// For elements that keep line breaks.
data lines_of_text(std::string_view value) { return data(printable_lines(value)); }

// A section of the template, left out when the text is empty.
void set_if(data& target, const std::string& key, std::string_view value) {
  if (!value.empty()) target.set(key, text(value));
}

void set_list(data& target, const std::string& key, data items) {
  target.set("has_" + key, data(items.is_non_empty_list()));
  target.set(key, std::move(items));
}

std::string_view sign_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "\u2713";
    case Verdict::fail:
      return "\u2717";
    case Verdict::unknown:
      return "?";
    case Verdict::skipped:
      return "\u2013";
  }
  return "?";
}

std::string number(double value) { return fmt::format("{:.1f}", value); }

void set_head(const Report& report, data& page) {
  const auto verdict = settled_verdict(report);
  page.set("verdict", text(name_of(verdict)));
  page.set("sign", text(sign_of(verdict)));
  page.set("problem", data(verdict != Verdict::pass));
  page.set("scenario", text(report.scenario.name));
  page.set("started", text(time_in_words(report.started, utc_offset_of(report))));
  if (report.finished) {
    page.set("duration",
             text(duration_in_words(Seconds(*report.finished - report.started).count())));
  }
  set_if(page, "host", report.host);
  page.set("id", text(report.id));
}

data lines(const auto& items) {
  auto result = list();
  for (const auto& item : items) {
    data line;
    line.set("line", lines_of_text(item));
    result.push_back(line);
  }
  return result;
}

void set_diagnosis(const Report& report, data& page) {
  const auto& diagnosis = report.diagnosis;
  const auto finding = code_and_object(diagnosis.code, diagnosis.object);
  const std::string_view cause = diagnosis.likely_cause == LikelyCause::none
                                     ? std::string_view{}
                                     : name_of(diagnosis.likely_cause);
  const auto summary = headline(report);
  page.set("headline", lines(report.finished ? lines_of(diagnosis.summary)
                                             : std::vector<std::string_view>{summary}));
  set_if(page, "finding", finding);
  set_if(page, "likely_cause", cause);
  set_if(page, "recoverable", diagnosis.recoverable);
  set_if(page, "next_step", diagnosis.next_step);
  page.set("has_diagnosis", data(!(finding.empty() && cause.empty() &&
                                   diagnosis.recoverable.empty() && diagnosis.next_step.empty())));
  set_list(page, "evidence", lines(diagnosis.evidence));
}

data tile(std::string_view label, std::string_view value, std::string_view note,
          std::string_view state) {
  data result;
  result.set("label", text(label));
  result.set("value", text(value));
  result.set("note", text(note));
  result.set("state", text(state));
  return result;
}

data objective_tile(std::string_view label, const ObjectiveRecord& objective) {
  const auto state = state_of(objective);
  const auto name_of_state = [&]() -> std::string_view {
    if (state == ObjectiveState::met) return "pass";
    if (state == ObjectiveState::missed) return "fail";
    return state == ObjectiveState::unknown ? "unknown" : "";
  }();
  const auto limit = objective.objective
                         ? fmt::format("objective {}", duration_in_words(*objective.objective))
                         : std::string("no objective");
  auto result =
      tile(label, objective.measured ? duration_in_words(*objective.measured) : "not measured",
           objective.measured ? limit : limit + "; " + objective.explanation, name_of_state);
  if (objective.measured && objective.objective && *objective.objective > 0) {
    data bar;
    bar.set("percent", number(std::min(100.0, *objective.measured / *objective.objective * 100)));
    result.set("bar", bar);
  }
  return result;
}

// The measured values of past drills and this one.
void add_trend(data& tile, const Report& report, const RenderOptions& options,
               std::optional<double> PastDrill::*value, const ObjectiveRecord& objective) {
  std::vector<ChartPoint> points;
  for (const auto& drill : options.past) {
    if (drill.*value) points.push_back({.at = drill.started, .value = *(drill.*value)});
  }
  if (objective.measured) points.push_back({.at = report.started, .value = *objective.measured});
  if (points.size() > 1) tile.set("trend", trend_svg(points, objective.objective));
}

void set_tiles(const Report& report, const RenderOptions& options, data& page) {
  auto tiles = list();
  if (report.landing) {
    const auto& landing = *report.landing;
    const auto position =
        landing.lsn ? to_text(*landing.lsn) +
                          (landing.timeline ? fmt::format(", timeline {}", *landing.timeline) : "")
                    : std::string("unknown position");
    tiles.push_back(
        tile("Recovered up to",
             landing.time ? time_in_words(*landing.time, utc_offset_of(report)) : position,
             position + (landing.proved ? ", proved" : ", not proved"),
             landing.proved ? "pass" : "unknown"));
  }
  const auto add_objective = [&](std::string_view label, const ObjectiveRecord& objective,
                                 std::optional<double> PastDrill::*value) {
    if (is_empty(objective)) return;
    auto tile = objective_tile(label, objective);
    add_trend(tile, report, options, value, objective);
    tiles.push_back(tile);
  };
  add_objective("RTO", report.rto, &PastDrill::rto);
  add_objective("RPO", report.rpo, &PastDrill::rpo);
  if (report.backup) {
    const auto words = in_words(*report.backup, utc_offset_of(report));
    tiles.push_back(
        tile("Backup",
             report.backup->bytes > 0 ? to_text(Bytes{report.backup->bytes}) : report.backup->type,
             join(words, "; "), ""));
  }
  set_list(page, "tiles", std::move(tiles));
}

void set_timeline(const Report& report, data& page) {
  const auto drawing = draw_recovery(drawing_input(report));
  if (!drawing) return;
  data timeline;
  timeline.set("svg", drawing_svg(*drawing));
  set_if(timeline, "outside", drawing->outside);
  auto legend = list();
  for (const std::string_view kind :
       {"backup", "recoverable", "replayed", "withheld", "lost", "missing"}) {
    const bool drawn = std::ranges::any_of(drawing->rows, [&](const auto& row) {
      return std::ranges::any_of(row.bars, [&](const auto& bar) { return bar.kind == kind; });
    });
    if (!drawn) continue;
    data entry;
    entry.set("kind", std::string(kind));
    entry.set("text", std::string(kind == "withheld" ? "not replayed" : kind));
    legend.push_back(entry);
  }
  timeline.set("legend", legend);
  page.set("timeline", timeline);
}

data finding_data(const Finding& finding) {
  data result;
  const auto what = code_and_object(finding.code, finding.object);
  result.set("what", text(what));
  result.set("severity", text(name_of(severity_of(finding))));
  result.set("note", data(severity_of(finding) == Severity::note));
  result.set("message", lines_of_text(finding.message));
  set_if(result, "details", details_in_words(finding));
  set_if(result, "hint", finding.hint);
  return result;
}

data check_data(const CheckRecord& check) {
  data result;
  result.set("verdict", text(name_of(check.verdict)));
  result.set("name", text(check.name));
  result.set("summary", text(check.summary));
  result.set("instance_state", text(check.state.empty() ? "any" : check.state));
  result.set("time",
             check.verdict == Verdict::skipped ? std::string{} : duration_in_words(check.seconds));
  result.set("open", data(check.verdict == Verdict::fail || check.verdict == Verdict::unknown));
  auto findings = list();
  for (const auto& finding : check.findings | std::views::take(most_findings)) {
    findings.push_back(finding_data(finding));
  }
  set_list(result, "findings", std::move(findings));
  if (check.findings.size() > most_findings) {
    result.set("more", fmt::format("{} more findings are in report.json",
                                   check.findings.size() - most_findings));
  }
  return result;
}

void set_checks(const Report& report, data& page) {
  auto checks = list();
  for (const auto& check : in_order_of_urgency(report.checks)) checks.push_back(check_data(check));
  page.set("counts", counts_in_words(report.checks));
  set_list(page, "checks", std::move(checks));
}

std::string number_or_nothing(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : std::string{};
}

// 1204331 as "1,204,331".
std::string grouped(const std::optional<std::int64_t>& number, bool sign = false) {
  if (!number) return {};
  auto digits = std::to_string(std::abs(*number));
  for (auto i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  const std::string_view mark = *number < 0 ? "\u2212" : sign && *number > 0 ? "+" : "";
  return std::string(mark) + digits;
}

data table_data(const ComparedTable& table) {
  data row;
  const auto difference = table.expected && table.actual
                              ? std::optional(*table.actual - *table.expected)
                              : std::nullopt;
  row.set("kind", table.result == "same"           ? "same"
                  : table.result == "not compared" ? "unknown"
                                                   : "fail");
  row.set("name", text(table.name));
  row.set("result", text(table.result));
  set_if(row, "note", table.note);
  row.set("expected", number_or_nothing(table.expected));
  row.set("expected_text", grouped(table.expected));
  row.set("actual", number_or_nothing(table.actual));
  row.set("actual_text", grouped(table.actual));
  row.set("difference", number_or_nothing(difference));
  row.set("difference_text", grouped(difference, true));
  row.set("bytes", std::to_string(table.bytes));
  row.set("size", to_text(Bytes{table.bytes}));
  row.set("coverage", text(table.coverage));
  return row;
}

void set_comparison(const ComparisonRecord& record, data& page) {
  if (record.method.empty()) return;
  data comparison;
  comparison.set("text", text(in_words(record)));
  auto tables = list();
  std::map<std::string, std::size_t> counts;
  for (const auto& table : record.tables) {
    ++counts[table.result];
    tables.push_back(table_data(table));
  }
  std::vector<std::string> parts;
  for (const auto& [result, count] : counts) parts.push_back(fmt::format("{} {}", count, result));
  comparison.set("counts", text("Tables: " + join(parts, ", ")));
  if (record.tables_omitted > 0) {
    comparison.set("omitted",
                   fmt::format("{} more tables are not in the record.", record.tables_omitted));
  }
  set_list(comparison, "tables", std::move(tables));
  page.set("comparison", comparison);
}

constexpr std::size_t phase_colors = 6;

void set_phases(const Report& report, data& page) {
  double total = 0;
  for (const auto& phase : report.phases) total += phase.seconds;
  auto phases = list();
  double x = 0;
  std::size_t index = 0;
  for (const auto& phase : report.phases) {
    const double share = total > 0 ? phase.seconds / total : 0;
    data item;
    item.set("name", text(phase.name));
    item.set("time", phase.completed ? duration_in_words(phase.seconds) : "not done");
    item.set("shade", std::to_string(index++ % phase_colors));
    item.set("x", number(x));
    item.set("width", number(share * 1000));
    item.set("percent", fmt::format("{:.0f} %", share * 100));
    item.set("volume", text(volume_in_words(phase)));
    phases.push_back(item);
    x += share * 1000;
  }
  set_list(page, "phases", std::move(phases));
}

void set_facts(const Report& report, data& page) {
  auto facts = list();
  const auto add = [&](std::string_view label, std::string_view value) {
    if (value.empty()) return;
    data fact;
    fact.set("label", text(label));
    fact.set("text", text(value));
    facts.push_back(fact);
  };
  add("Scenario", report.scenario.file);
  add("SHA-256 of the scenario", report.scenario.hash);
  if (report.backup) add("Backup", join(in_words(*report.backup, utc_offset_of(report)), "; "));
  if (report.backup) add("Stanza", report.backup->stanza);
  if (report.landing) add("Landing", join(in_words(*report.landing), "; "));
  if (!report.sandbox.type.empty()) add("Sandbox", in_words(report.sandbox));
  add("Connect", report.sandbox.connect);
  add("Removed", join(report.sandbox.removal, ", "));
  std::vector<std::string> tools;
  for (const auto& [name, version] : report.tools) tools.push_back(name + " " + version);
  add("Tools", join(tools, ", "));
  page.set("facts", facts);
}

void set_commands(const Report& report, data& page) {
  auto commands = list();
  for (const auto& command : report.commands) {
    data item;
    item.set("command", text(command.command));
    item.set("exit_code", std::to_string(command.exit_code));
    item.set("failed", data(command.exit_code != 0));
    item.set("time", duration_in_words(command.seconds));
    item.set("seconds", fmt::format("{:.3f}", command.seconds));
    set_if(item, "log", command.log);
    commands.push_back(item);
  }
  page.set("command_count", counted(report.commands.size(), "command"));
  set_list(page, "commands", std::move(commands));
}

}  // namespace

void write_html(const Report& report, const RenderOptions& options, std::ostream& out) {
  data page;
  page.set("linked", data(options.linked_assets));
  page.set("style", std::string(embedded::report_css) + std::string(embedded::drawing_css));
  page.set("script", std::string(embedded::report_js));
  page.set("program",
           text(report.tools.contains("pgrehearse") ? "pgrehearse " + report.tools.at("pgrehearse")
                                                    : "pgrehearse"));
  set_head(report, page);
  set_diagnosis(report, page);
  set_tiles(report, options, page);
  set_timeline(report, page);
  set_checks(report, page);
  set_comparison(report.comparison, page);
  set_phases(report, page);
  set_facts(report, page);
  set_commands(report, page);
  mustache page_template{std::string(embedded::report_mustache)};
  out << page_template.render(page);
}

}  // namespace pgrehearse
