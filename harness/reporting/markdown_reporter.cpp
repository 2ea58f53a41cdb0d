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

void write_row(std::string_view label, std::string_view text, std::ostream& out) {
  if (!text.empty()) out << fmt::format("| {} | {} |\n", label, text);
}

template <typename Lines>
std::string joined(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "; ") + plain(line);
  return text;
}

// What a reader decides on: everything else is folded.
void write_summary(const Report& report, std::ostream& out) {
  const auto& diagnosis = report.diagnosis;
  out << fmt::format("## {} {}\n\n", sign_of(settled_verdict(report)), plain(report.scenario.name));
  if (const auto line = headline(report); !line.empty()) out << plain(line) << "\n\n";
  out << "| | |\n|---|---|\n";
  if (report.landing) write_row("Recovered to", plain(in_words(*report.landing).front()), out);
  if (!is_empty(report.rto)) write_row("RTO", plain(in_words(report.rto)), out);
  if (!is_empty(report.rpo)) write_row("RPO", plain(in_words(report.rpo)), out);
  if (diagnosis.likely_cause != LikelyCause::none) {
    write_row("Likely cause", name_of(diagnosis.likely_cause), out);
  }
  write_row("Finding", plain(code_and_object(diagnosis.code, diagnosis.object)), out);
  write_row("Recoverable", plain(diagnosis.recoverable), out);
  if (!diagnosis.next_step.empty()) {
    write_row("Next step", "**" + plain(diagnosis.next_step) + "**", out);
  }
  if (!report.checks.empty()) write_row("Checks", counts_in_words(report.checks), out);
  std::string run = plain(report.id);
  if (!report.host.empty()) run += " on " + plain(report.host);
  run += ", " + time_in_words(report.started, utc_offset_of(report));
  if (report.finished) {
    run += " in " + duration_in_words(Seconds(*report.finished - report.started).count());
  }
  write_row("Run", run, out);
  for (const auto& line : diagnosis.evidence) out << fmt::format("\n{}\n", code(line));
}

bool is_problem(const CheckRecord& check) {
  return check.verdict == Verdict::fail || check.verdict == Verdict::unknown;
}

void write_findings(const CheckRecord& check, std::ostream& out) {
  std::size_t shown = 0;
  for (const auto& finding : check.findings) {
    if (shown++ == most_findings) break;
    const auto what = code_and_object(finding.code, finding.object);
    out << fmt::format("- {}{}", what.empty() ? "" : code(what) + " ", plain(finding.message));
    const auto details = details_in_words(finding);
    if (!details.empty()) out << " (" << plain(details) << ")";
    if (!finding.hint.empty()) out << "  \n  hint: " << plain(finding.hint);
    out << "\n";
  }
  if (check.findings.size() > most_findings) {
    out << fmt::format("- {} more\n", check.findings.size() - most_findings);
  }
}

void write_problems(const Report& report, std::ostream& out) {
  for (const auto& check : in_order_of_urgency(report.checks)) {
    if (!is_problem(check)) continue;
    out << fmt::format("\n### {} {}\n\n", sign_of(check.verdict), plain(check.name));
    if (!check.summary.empty()) out << plain(check.summary) << "\n\n";
    write_findings(check, out);
  }
}

// `summary` is Markdown's HTML: it may not contain markup characters.
template <typename Write>
void write_folded(std::string_view summary, std::ostream& out, Write write) {
  out << fmt::format("\n<details><summary>{}</summary>\n\n", summary);
  write();
  out << "\n</details>\n";
}

void write_other_checks(const Report& report, std::ostream& out) {
  auto others = report.checks;
  std::erase_if(others, is_problem);
  if (others.empty()) return;
  write_folded("Checks: " + counts_in_words(others), out, [&] {
    out << "| | Check | Time | |\n|---|---|---:|---|\n";
    for (const auto& check : in_order_of_urgency(others)) {
      out << fmt::format("| {} | {} | {} | {} |\n", sign_of(check.verdict), plain(check.name),
                         check.verdict == Verdict::skipped ? "" : duration_in_words(check.seconds),
                         plain(check.summary));
    }
    for (const auto& check : others) {
      if (!check.findings.empty()) out << "\n" << plain(check.name) << ":\n\n";
      write_findings(check, out);
    }
  });
}

void write_facts(const Report& report, std::ostream& out) {
  write_folded("Backup, landing, sandbox", out, [&] {
    out << "| | |\n|---|---|\n";
    if (report.backup) {
      write_row("Backup", joined(in_words(*report.backup, utc_offset_of(report))), out);
    }
    if (report.landing) write_row("Landing", joined(in_words(*report.landing)), out);
    if (!report.comparison.method.empty()) {
      write_row("Comparison", plain(in_words(report.comparison)), out);
    }
    if (!report.sandbox.type.empty()) write_row("Sandbox", plain(in_words(report.sandbox)), out);
    write_row("Scenario", plain(report.scenario.file), out);
    write_row("SHA-256 of the scenario", plain(report.scenario.hash), out);
  });
}

void write_phases(const Report& report, std::ostream& out) {
  if (report.phases.empty()) return;
  write_folded("Phases", out, [&] {
    out << "| Phase | Time | Volume |\n|---|---:|---|\n";
    for (const auto& phase : report.phases) {
      out << fmt::format("| {} | {} | {} |\n", plain(phase.name),
                         phase.completed ? duration_in_words(phase.seconds) : "not done",
                         volume_in_words(phase));
    }
  });
}

void write_overview(const SeveralDrills& drills, std::ostream& out) {
  std::vector<Verdict> verdicts(drills.not_run.size(), Verdict::unknown);
  for (const auto& report : drills.reports) verdicts.push_back(settled_verdict(report));
  out << fmt::format("# {} {} drills\n\n| | Scenario | |\n|---|---|---|\n",
                     sign_of(worst_of(verdicts)), verdicts.size());
  for (const auto& report : drills.reports) {
    out << fmt::format("| {} | {} | {} |\n", sign_of(settled_verdict(report)),
                       plain(report.scenario.name), plain(headline(report)));
  }
  for (const auto& scenario : drills.not_run) {
    out << fmt::format("| {} | {} | {} |\n", sign_of(Verdict::unknown), plain(scenario.scenario),
                       plain(scenario.reason));
  }
}

}  // namespace

void write_markdown(const SeveralDrills& drills, std::ostream& out) {
  write_overview(drills, out);
  for (const auto& report : drills.reports) {
    out << "\n";
    write_markdown(report, {}, out);
  }
}

void write_markdown(const Report& report, const RenderOptions& /*options*/, std::ostream& out) {
  write_summary(report, out);
  write_problems(report, out);
  write_other_checks(report, out);
  write_facts(report, out);
  write_phases(report, out);
}

}  // namespace pgrehearse
