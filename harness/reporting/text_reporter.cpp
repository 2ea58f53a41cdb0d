#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "harness/common/text.hpp"
#include "harness/report/headline.hpp"
#include "harness/reporting/formats.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t label_width = 16;  // "  likely cause  "
constexpr std::size_t most_findings = 20;

// Output limited to the terminal's width. All untrusted text passes printable().
class Page {
 public:
  Page(const RenderOptions& options, std::ostream& out)
      : paint(options.color),
        verbose(options.verbose),
        width_(static_cast<std::size_t>(std::max(options.width, 40))),
        out_(out) {}

  [[nodiscard]] std::size_t width() const { return width_; }
  void blank() { out_ << '\n'; }

  // `painted` is `plain` with colors. `text` follows it and is wrapped with a hanging indent.
  void hanging(std::string_view plain, std::string_view painted, std::string_view text,
               std::string (Palette::*style)(std::string_view) const = nullptr) {
    auto indent = columns_of(plain);
    bool first = true;
    if (indent + 20 > width_) {
      out_ << without_last_blanks(painted) << '\n';
      if (text.empty()) return;
      indent = 8;
      first = false;
    }
    for (const auto& line : wrap(printable_lines(text), width_ - indent)) {
      std::string shown = style != nullptr ? (paint.*style)(line) : line;
      if (first) {
        shown.insert(0, painted);
      } else if (!line.empty()) {
        shown.insert(0, indent, ' ');
      }
      out_ << without_last_blanks(shown) << '\n';
      first = false;
    }
  }

  // The same on one line, shortened between words.
  void one_line(std::string_view plain, std::string_view painted, std::string_view text) {
    const auto indent = columns_of(plain);
    const auto room = indent + 20 > width_ ? 20 : width_ - indent;
    const auto line = std::string(painted) + cut_between_words(printable_on_one_line(text), room);
    out_ << without_last_blanks(line) << '\n';
  }

  void labelled(std::string_view label, std::string_view text,
                std::string (Palette::*style)(std::string_view) const = nullptr) {
    if (text.empty()) return;
    const auto plain = pad_right("  " + std::string(label), label_width);
    hanging(plain, painted_label(label), text, style);
  }

  // Not wrapped: a command that people paste.
  void command(std::string_view label, std::string_view text) {
    if (!text.empty()) out_ << painted_label(label) << printable(text) << '\n';
  }

  // Ends the color before the trailing spaces, so that they can be stripped.
  [[nodiscard]] std::string painted_label(std::string_view label) const {
    return "  " + paint.dim(label) + std::string(label_width - 2 - label.size(), ' ');
  }

  const Palette paint;
  const bool verbose;

 private:
  static std::string_view without_last_blanks(std::string_view text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
  }

  std::size_t width_;
  std::ostream& out_;
};

void write_head(const Report& report, Page& page) {
  const auto verdict = settled_verdict(report);
  std::string word(name_of(verdict));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  const auto name = printable(report.scenario.name);
  page.hanging(word + "  ", page.paint.of(verdict, word) + "  ", name, &Palette::bold);
  std::string when = time_in_words(report.started, utc_offset_of(report));
  if (report.finished) {
    when += " in " + duration_in_words(Seconds(*report.finished - report.started).count());
  }
  if (!report.host.empty()) when += " on " + report.host;
  const std::string indent(word.size() + 2, ' ');
  page.hanging(indent, indent, when + ", " + report.id, &Palette::dim);
  page.blank();
  if (report.finished) {
    for (const auto line : lines_of(report.diagnosis.summary)) page.hanging("  ", "  ", line);
  } else {
    page.hanging("  ", "  ", headline(report));
  }
}

void write_objective(std::string_view label, const ObjectiveRecord& objective, Page& page) {
  if (is_empty(objective)) return;
  const auto state = state_of(objective);
  page.labelled(label, in_words(objective),
                state == ObjectiveState::missed    ? &Palette::red
                : state == ObjectiveState::unknown ? &Palette::yellow
                                                   : nullptr);
  if (page.verbose && objective.measured) page.labelled("", objective.explanation, &Palette::dim);
}

// Up to when the data was recovered, how long that took, and how much is missing.
void write_result(const Report& report, Page& page) {
  if (!report.landing && is_empty(report.rto) && is_empty(report.rpo)) return;
  page.blank();
  if (report.landing) {
    const auto lines = in_words(*report.landing);
    page.labelled("recovered to", lines.front(),
                  report.landing->proved ? nullptr : &Palette::yellow);
    const bool explained = page.verbose || !report.landing->proved;
    for (std::size_t i = 1; i < lines.size() && explained; ++i) page.labelled("", lines[i]);
  }
  write_objective("RTO", report.rto, page);
  write_objective("RPO", report.rpo, page);
}

void write_diagnosis(const Report& report, Page& page) {
  const auto& diagnosis = report.diagnosis;
  const auto finding = code_and_object(diagnosis.code, diagnosis.object);
  const bool has_cause = diagnosis.likely_cause != LikelyCause::none;
  if (finding.empty() && diagnosis.recoverable.empty() && diagnosis.next_step.empty() &&
      diagnosis.evidence.empty() && !has_cause) {
    return;
  }
  page.blank();
  if (has_cause) page.labelled("likely cause", name_of(diagnosis.likely_cause));
  page.labelled("finding", finding);
  page.labelled("recoverable", diagnosis.recoverable);
  page.labelled("next step", diagnosis.next_step, &Palette::bold);
  for (const auto& line : diagnosis.evidence) {
    page.labelled(&line == &diagnosis.evidence.front() ? "evidence" : "", line);
  }
}

void write_facts(const Report& report, Page& page) {
  page.blank();
  if (report.backup) {
    const auto lines = in_words(*report.backup, utc_offset_of(report));
    for (const auto& line : lines) page.labelled(&line == &lines.front() ? "backup" : "", line);
  }
  if (!report.comparison.method.empty()) page.labelled("comparison", in_words(report.comparison));
  if (!report.sandbox.type.empty()) {
    const bool left = report.finished && !report.sandbox.removed && !report.sandbox.kept;
    page.labelled("sandbox", in_words(report.sandbox), left ? &Palette::red : nullptr);
    page.command("connect", report.sandbox.connect);
  }
}

void write_phases(const Report& report, Page& page) {
  if (report.phases.empty()) return;
  if (!page.verbose) {
    page.labelled("phases", in_words(report.phases), &Palette::dim);
    return;
  }
  std::size_t names = 0;
  for (const auto& phase : report.phases) {
    names = std::max(names, columns_of(printable(phase.name)));
  }
  names = std::min(names, page.width() - label_width - 13);
  page.blank();
  for (const auto& phase : report.phases) {
    const std::string_view label = &phase == &report.phases.front() ? "phases" : "";
    const auto name = pad_right(cut_to(printable(phase.name), names), names) + "  ";
    const auto time = pad_left(phase.completed ? duration_in_words(phase.seconds) : "not done", 9);
    const auto plain = fmt::format("{:{}}{}{}  ", "", label_width, name, time);
    const auto painted = fmt::format("{}{}{}  ", page.painted_label(label), name,
                                     phase.completed ? time : page.paint.yellow(time));
    page.hanging(plain, painted, volume_in_words(phase), &Palette::dim);
  }
}

void write_finding(const Finding& finding, Page& page) {
  const std::string indent(13, ' ');
  page.hanging(indent, indent, code_and_object(finding.code, finding.object), &Palette::bold);
  if (!finding.message.empty()) page.hanging(indent, indent, finding.message);
  const auto details = details_in_words(finding);
  if (!details.empty()) page.hanging(indent, indent, details, &Palette::dim);
  if (!finding.hint.empty()) page.hanging(indent, indent, "hint: " + finding.hint);
}

// Names of all checks that were skipped for the same reason as `first`, including `first`.
std::vector<std::string> skipped_alike(const Report& report, const CheckRecord& first) {
  std::vector<std::string> names;
  for (const auto& check : report.checks) {
    if (check.verdict == Verdict::skipped && check.summary == first.summary) {
      names.push_back(printable(check.name));
    }
  }
  return names;
}

// A drill that stops early skips many checks for one reason: print it once.
void write_skipped(const std::vector<std::string>& names, const std::string& reason, Page& page) {
  const auto word = shown_name_of(Verdict::skipped);
  const std::string gap(9 - word.size(), ' ');
  page.hanging(fmt::format("    {}{}", word, gap),
               fmt::format("    {}{}", page.paint.of(Verdict::skipped, word), gap),
               fmt::format("{} checks: {}", names.size(), reason));
  const std::string indent(13, ' ');
  page.hanging(indent, indent, join(names, ", "), &Palette::dim);
}

void write_check(const Report& report, const CheckRecord& check, std::size_t names, Page& page) {
  const auto word = shown_name_of(check.verdict);
  const std::string gap(9 - word.size(), ' ');
  const auto name = pad_right(cut_to(printable(check.name), names), names) + "  ";
  const bool timed = page.verbose && check.verdict != Verdict::skipped;
  const auto time = timed ? pad_left(duration_in_words(check.seconds), 9) + "  "
                          : std::string(page.verbose ? 11 : 0, ' ');
  const auto plain = fmt::format("    {}{}{}{}", word, gap, name, time);
  const auto painted = fmt::format("    {}{}{}{}", page.paint.of(check.verdict, word), gap, name,
                                   page.paint.dim(time));
  if (check.verdict == Verdict::pass && !page.verbose) {
    page.one_line(plain, painted, check.summary);
    return;
  }
  page.hanging(plain, painted, check.summary);
  std::size_t shown = 0;
  for (const auto& finding : check.findings) {
    if (shown++ == most_findings) break;
    write_finding(finding, page);
  }
  if (check.findings.size() > most_findings) {
    page.hanging("             ", "             ",
                 fmt::format("{} more, see: 'pgrehearse report {} --format json'",
                             check.findings.size() - most_findings, report.id),
                 &Palette::dim);
  }
}

void write_checks(const Report& report, Page& page) {
  if (report.checks.empty() && !report.finished) return;
  page.blank();
  page.labelled("checks", counts_in_words(report.checks));
  std::size_t names = 0;
  for (const auto& check : report.checks) {
    names = std::max(names, columns_of(printable(check.name)));
  }
  names = std::min(names, page.width() / 3);
  std::set<std::string> reasons;
  for (const auto& check : in_order_of_urgency(report.checks)) {
    if (check.verdict == Verdict::skipped && check.findings.empty()) {
      const auto alike = skipped_alike(report, check);
      if (alike.size() > 2) {
        if (reasons.insert(check.summary).second) write_skipped(alike, check.summary, page);
        continue;
      }
    }
    write_check(report, check, names, page);
  }
}

}  // namespace

void write_text(const Report& report, const RenderOptions& options, std::ostream& out) {
  Page page(options, out);
  write_head(report, page);
  write_result(report, page);
  write_diagnosis(report, page);
  write_checks(report, page);
  write_facts(report, page);
  write_phases(report, page);
}

}  // namespace pgrehearse
