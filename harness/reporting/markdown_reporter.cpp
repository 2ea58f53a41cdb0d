#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/report/headline.hpp"
#include "harness/reporting/formats.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_findings = 50;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Whether the character at `i` would be markup there: the fewer backslashes, the better it reads.
bool is_markup(std::string_view text, std::size_t i) {
  const char next = i + 1 < text.size() ? text[i + 1] : ' ';
  switch (text[i]) {
    case '_':  // not inside a word
      return i == 0 || !is_word(text[i - 1]) || !is_word(next);
    case '\\':
      return std::ispunct(static_cast<unsigned char>(next)) != 0;
    case '[':
    case ']':  // only a link has both
      return text.find("](") != std::string_view::npos;
    case '#':
    case '>':
      return i == 0;
    default:
      return std::string_view("`*<|~$").find(text[i]) != std::string_view::npos;
  }
}

// Escapes markup. On one line: a line break would end a table row.
std::string plain(std::string_view text) {
  const auto shown = printable_on_one_line(text);
  std::string safe;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (is_markup(shown, i)) safe += '\\';
    safe += shown[i] == '&' ? std::string("&amp;") : std::string(1, shown[i]);
  }
  return safe;
}

// A code span, fenced by more backticks than it contains in a row. Not for tables: a pipe ends a
// cell.
std::string code(std::string_view text) {
  const auto shown = printable_on_one_line(text);
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : shown) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  const std::string_view space = longest > 0 ? " " : "";
  return fmt::format("{}{}{}{}{}", fence, space, shown, space, fence);
}

std::string_view sign_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "\u2705 pass";
    case Verdict::fail:
      return "\u274c **fail**";
    case Verdict::unknown:
      return "\u2754 **unknown**";
    case Verdict::skipped:
      return "\u2796 skipped";
  }
  return "unknown";
}

void write_item(std::string_view label, std::string_view text, std::ostream& out) {
  if (!text.empty()) out << fmt::format("- **{}:** {}\n", label, text);
}

void write_diagnosis(const Report& report, std::ostream& out) {
  const auto& diagnosis = report.diagnosis;
  out << fmt::format("## {} {}\n\n", sign_of(settled_verdict(report)), plain(report.scenario.name));
  if (const auto line = headline(report); !line.empty()) out << plain(line) << "\n\n";
  const auto finding = code_and_object(diagnosis.code, diagnosis.object);
  write_item("Finding", finding.empty() ? "" : code(finding), out);
  if (diagnosis.likely_cause != LikelyCause::none) {
    write_item("Likely cause", name_of(diagnosis.likely_cause), out);
  }
  write_item("Recoverable", plain(diagnosis.recoverable), out);
  write_item("Next step", plain(diagnosis.next_step), out);
  for (const auto& line : diagnosis.evidence) write_item("Evidence", code(line), out);
}

template <typename Lines>
std::string joined(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "; ") + plain(line);
  return text;
}

void write_facts(const Report& report, std::ostream& out) {
  if (report.backup) write_item("Backup", joined(in_words(*report.backup)), out);
  if (report.landing) write_item("Landing", joined(in_words(*report.landing)), out);
  if (!is_empty(report.rto)) write_item("RTO", plain(in_words(report.rto)), out);
  if (!is_empty(report.rpo)) write_item("RPO", plain(in_words(report.rpo)), out);
  if (!report.comparison.method.empty()) {
    write_item("Comparison", plain(in_words(report.comparison)), out);
  }
  if (!report.sandbox.type.empty()) write_item("Sandbox", plain(in_words(report.sandbox)), out);
  std::string run = plain(report.id);
  if (!report.host.empty()) run += " on " + plain(report.host);
  run += ", " + time_in_words(report.started);
  if (report.finished) {
    run += " in " + duration_in_words(Seconds(*report.finished - report.started).count());
  }
  write_item("Run", run, out);
}

void write_checks(const Report& report, std::ostream& out) {
  if (report.checks.empty()) return;
  out << fmt::format("\n### Checks: {}\n\n| | Check | Time | |\n|---|---|---:|---|\n",
                     counts_in_words(report.checks));
  for (const auto& check : report.checks) {
    out << fmt::format("| {} | {} | {} | {} |\n", sign_of(check.verdict), plain(check.name),
                       check.verdict == Verdict::skipped ? "" : duration_in_words(check.seconds),
                       plain(check.summary));
  }
}

void write_findings(const Report& report, std::ostream& out) {
  std::size_t total = 0;
  for (const auto& check : report.checks) total += check.findings.size();
  if (total == 0) return;
  out << "\n### Findings\n\n";
  std::size_t shown = 0;
  for (const auto& check : report.checks) {
    for (const auto& finding : check.findings) {
      if (shown++ >= most_findings) continue;
      const auto what = code_and_object(finding.code, finding.object);
      out << fmt::format("- {}{}: {}", what.empty() ? "" : code(what) + " ", plain(check.name),
                         plain(finding.message));
      const auto details = details_in_words(finding);
      if (!details.empty()) out << " (" << plain(details) << ")";
      if (!finding.hint.empty()) out << "  \n  hint: " << plain(finding.hint);
      out << "\n";
    }
  }
  if (total > most_findings) out << fmt::format("- {} more\n", total - most_findings);
}

void write_phases(const Report& report, std::ostream& out) {
  if (report.phases.empty()) return;
  out << "\n### Phases\n\n| Phase | Time | Volume |\n|---|---:|---|\n";
  for (const auto& phase : report.phases) {
    out << fmt::format("| {} | {} | {} |\n", plain(phase.name),
                       phase.completed ? duration_in_words(phase.seconds) : "not done",
                       volume_in_words(phase));
  }
}

}  // namespace

void write_markdown(const Report& report, const RenderOptions& /*options*/, std::ostream& out) {
  write_diagnosis(report, out);
  write_facts(report, out);
  write_checks(report, out);
  write_findings(report, out);
  write_phases(report, out);
}

}  // namespace pgrehearse
