#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "harness/report/finding_codes.hpp"
#include "harness/report/headline.hpp"
#include "harness/reporting/formats.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

// XML 1.0 cannot represent most control characters: they remain visible escapes.
std::string escaped(std::string_view text, bool keep_lines = false) {
  std::string safe;
  for (const char c : printable_lines(text)) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\n':
        safe += keep_lines ? "\n" : "&#10;";
        break;
      case '\t':
        safe += "&#9;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

struct TestCase {
  std::string name;
  Verdict verdict = Verdict::unknown;
  double seconds = 0;
  std::string type;     // finding code
  std::string message;  // one line
  std::string body;
  std::string numbers;  // what was examined, on one line
};

std::string body_of(const CheckRecord& check) {
  std::string body;
  for (const auto& finding : check.findings) {
    body += fmt::format("{}: {}\n", code_and_object(finding.code, finding.object), finding.message);
    const auto details = details_in_words(finding);
    if (!details.empty()) body += "  " + details + "\n";
    if (!finding.hint.empty()) body += "  hint: " + finding.hint + "\n";
  }
  return body;
}

TestCase case_of(const CheckRecord& check) {
  TestCase test{.name = check.name,
                .verdict = check.verdict,
                .seconds = check.seconds,
                .message = check.summary,
                .body = body_of(check),
                .numbers = check.summary};
  if (!check.findings.empty()) {
    test.type = text_of(check.findings.front().code);
    test.message = check.findings.front().message;
  }
  return test;
}

// Without a test case for the drill itself, a CI system would show nothing, or green, when the
// drill stopped early or no check explains its verdict.
bool needs_own_case(const Report& report) {
  const auto verdict = settled_verdict(report);
  if (report.checks.empty()) return true;
  return verdict != Verdict::pass &&
         std::none_of(report.checks.begin(), report.checks.end(),
                      [&](const CheckRecord& check) { return check.verdict == verdict; });
}

std::vector<TestCase> cases_of(const Report& report) {
  std::vector<TestCase> cases;
  if (needs_own_case(report)) {
    std::string body = report.diagnosis.recoverable;
    if (!report.diagnosis.next_step.empty()) body += "\nnext: " + report.diagnosis.next_step;
    for (const auto& line : report.diagnosis.evidence) body += "\n" + line;
    cases.push_back({.name = "drill",
                     .verdict = settled_verdict(report),
                     .type = std::string(text_of(report.diagnosis.code)),
                     .message = headline(report),
                     .body = body,
                     .numbers = in_words(report.phases)});
  }
  for (const auto& check : report.checks) cases.push_back(case_of(check));
  return cases;
}

void write_property(std::string_view name, std::string_view value, std::ostream& out) {
  if (value.empty()) return;
  out << fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", escaped(name), escaped(value));
}

std::string seconds_of(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : std::string{};
}

void write_properties(const Report& report, std::ostream& out) {
  out << "    <properties>\n";
  write_property("id", report.id, out);
  write_property("verdict", name_of(settled_verdict(report)), out);
  write_property("diagnosis", headline(report), out);
  write_property("scenario.file", report.scenario.file, out);
  write_property("scenario.hash", report.scenario.hash, out);
  if (report.backup) {
    write_property("backup.label", report.backup->label, out);
    write_property("backup.reason", report.backup->reason, out);
  }
  if (const auto& landing = report.landing) {
    write_property("landing.asked", landing->asked, out);
    write_property("landing.lsn", landing->lsn ? to_text(*landing->lsn) : "", out);
    write_property("landing.timeline", landing->timeline ? std::to_string(*landing->timeline) : "",
                   out);
    write_property("landing.time", landing->time ? to_iso8601(*landing->time) : "", out);
    write_property("landing.proved", landing->proved ? "true" : "false", out);
  }
  write_property("rto.measured", seconds_of(report.rto.measured), out);
  write_property("rto.objective", seconds_of(report.rto.objective), out);
  write_property("rpo.measured", seconds_of(report.rpo.measured), out);
  write_property("rpo.objective", seconds_of(report.rpo.objective), out);
  write_property("comparison.method", report.comparison.method, out);
  write_property("comparison.exact", report.comparison.exact ? "true" : "false", out);
  for (const auto& phase : report.phases) {
    if (phase.completed) {
      write_property("phase." + phase.name + ".seconds", seconds_of(phase.seconds), out);
    }
  }
  for (const auto& [tool, version] : report.tools) write_property("tool." + tool, version, out);
  out << "    </properties>\n";
}

void write_case(const TestCase& test, std::string_view class_name, std::ostream& out) {
  out << fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", class_name,
                     escaped(test.name), test.seconds);
  out << ">\n";
  const auto message = escaped(printable_on_one_line(test.message));
  if (test.verdict == Verdict::skipped) {
    out << fmt::format("      <skipped message=\"{}\"/>\n", message);
  } else if (test.verdict != Verdict::pass) {
    const auto* element = test.verdict == Verdict::fail ? "failure" : "error";
    out << fmt::format("      <{} type=\"{}\" message=\"{}\">{}</{}>\n", element,
                       escaped(test.type.empty() ? name_of(test.verdict) : test.type), message,
                       escaped(test.body, true), element);
  }
  if (!test.numbers.empty() && test.verdict != Verdict::skipped) {
    out << fmt::format("      <system-out>{}</system-out>\n",
                       escaped(printable_on_one_line(test.numbers)));
  }
  out << "    </testcase>\n";
}

// The drills of one command, or one of them.
struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  double seconds = 0;
};

Counts counts_of(const std::vector<TestCase>& cases, double seconds) {
  const auto count = [&](Verdict verdict) {
    return static_cast<std::size_t>(std::ranges::count(cases, verdict, &TestCase::verdict));
  };
  return {.tests = cases.size(),
          .failures = count(Verdict::fail),
          .errors = count(Verdict::unknown),
          .skipped = count(Verdict::skipped),
          .seconds = seconds};
}

void add(Counts& sum, const Counts& counts) {
  sum.tests += counts.tests;
  sum.failures += counts.failures;
  sum.errors += counts.errors;
  sum.skipped += counts.skipped;
  sum.seconds += counts.seconds;
}

std::string attributes_of(const Counts& counts) {
  return fmt::format(R"(tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}")",
                     counts.tests, counts.failures, counts.errors, counts.skipped, counts.seconds);
}

Counts write_suite(const Report& report, std::ostream& out) {
  const auto cases = cases_of(report);
  const auto counts =
      counts_of(cases, report.finished ? Seconds(*report.finished - report.started).count() : 0.0);
  const auto name = escaped(report.scenario.name);
  out << fmt::format("  <testsuite name=\"{}\" {} timestamp=\"{}\" hostname=\"{}\">\n", name,
                     attributes_of(counts), to_iso8601(report.started).substr(0, 19) + "Z",
                     escaped(report.host));
  write_properties(report, out);
  for (const auto& test : cases) write_case(test, name, out);
  out << "  </testsuite>\n";
  return counts;
}

Counts write_suite(const NotRun& scenario, std::ostream& out) {
  const TestCase test{.name = "drill", .message = scenario.reason};
  const auto counts = counts_of({test}, 0);
  const auto name = escaped(scenario.scenario);
  out << fmt::format("  <testsuite name=\"{}\" {}>\n", name, attributes_of(counts));
  write_case(test, name, out);
  out << "  </testsuite>\n";
  return counts;
}

}  // namespace

void write_junit(const SeveralDrills& drills, std::ostream& out) {
  Counts sum;
  std::ostringstream suites;
  for (const auto& report : drills.reports) add(sum, write_suite(report, suites));
  for (const auto& scenario : drills.not_run) add(sum, write_suite(scenario, suites));
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      << fmt::format("<testsuites name=\"pgrehearse\" {}>\n", attributes_of(sum)) << suites.str()
      << "</testsuites>\n";
}

void write_junit(const Report& report, const RenderOptions& /*options*/, std::ostream& out) {
  write_junit({.reports = std::span(&report, 1), .not_run = {}}, out);
}

}  // namespace pgrehearse
