#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "harness/common/text.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/reporter.hpp"
#include "tests/fakes/golden.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

std::string render(std::string_view format, const Report& report, RenderOptions options = {}) {
  for (const auto& reporter : reporters()) {
    if (reporter.format != format) continue;
    std::ostringstream out;
    reporter.write(report, options, out);
    return out.str();
  }
  return "no such format";
}

// The record as read from disk, as reporters see it.
Report saved(const Report& report) { return report_from_json(to_json(report)); }

TEST(Reporters, EveryFormatMatchesItsGoldenFile) {
  for (const auto& [format, extension] :
       {std::pair{"json", "json"}, {"text", "txt"}, {"junit", "xml"}, {"markdown", "md"}}) {
    const std::string ending = std::string(".") + extension;
    expect_golden("report_passed" + ending, render(format, saved(passed_report())));
    expect_golden("report_failed" + ending, render(format, saved(failed_report())));
    expect_golden("report_killed" + ending, render(format, saved(killed_report())));
    expect_golden("report_minimal" + ending, render(format, saved(minimal_report())));
  }
  expect_golden("report_failed_color.txt", render("text", saved(failed_report()), {.color = true}));
}

TEST(Reporters, SavedRunsRenderLikeNewOnes) {
  for (const auto& reporter : reporters()) {
    EXPECT_EQ(render(reporter.format, saved(passed_report())),
              render(reporter.format, passed_report()));
  }
}

// Object names and log lines from a database may contain anything.
TEST(Reporters, UntrustedTextIsEscapedInEveryFormat) {
  for (const auto* format : {"text", "html", "junit", "markdown"}) {
    const auto output = render(format, failed_report());
    for (const char c : output) {
      const bool space = c == '\n' || (c == '\t' && std::string_view(format) == "html");
      EXPECT_TRUE(space || static_cast<unsigned char>(c) >= 0x20) << format << int{c};
    }
    EXPECT_EQ(output.find('\xff'), std::string::npos) << format;
  }
}

// A table can have any name. The beginning of it is shown, and it does nothing to a terminal or a
// browser.
TEST(Reporters, HostileNamesAreShownAndHarmlessInEveryFormat) {
  const std::string right_to_left = "\xe2\x80\xae";
  for (const auto& name :
       {std::string("<script>alert(1)</script>"), std::string("red\x1b[31m\x1b]0;title\x07"),
        right_to_left + "gnp.exe", "long" + std::string(10'000, 'x')}) {
    auto report = failed_report();
    report.scenario.name = report.diagnosis.object = name;
    for (auto& check : report.checks) {
      check.name = check.summary = name;
      for (auto& finding : check.findings) finding.object = finding.message = name;
    }
    report.comparison.tables = {{.name = name, .result = "different", .coverage = "full"}};
    for (const auto& reporter : reporters()) {
      const auto output = render(reporter.format, saved(report), {.color = false, .verbose = true});
      SCOPED_TRACE(fmt::format("{} {}", reporter.format, printable(name.substr(0, 30))));
      EXPECT_EQ(output.find('\x1b'), std::string::npos);
      EXPECT_EQ(output.find('\x07'), std::string::npos);
      const auto shown = name.starts_with("long")  ? "longxxxxxxxxxx"
                         : name.starts_with("red") ? "[31m"
                         : name.starts_with("<")   ? "alert(1)"
                                                   : "gnp.exe";
      EXPECT_NE(output.find(shown), std::string::npos);
      if (reporter.format == "json") {
        EXPECT_EQ(report_from_json(output).scenario.name, name);
        continue;
      }
      EXPECT_EQ(output.find(right_to_left), std::string::npos);
      if (reporter.format == "text") continue;
      // Markdown: after a backslash or in a code span it is no markup.
      for (auto at = output.find("<script>alert"); at != std::string::npos;
           at = output.find("<script>alert", at + 1)) {
        EXPECT_EQ(reporter.format, "markdown");
        const auto line =
            output.substr(output.rfind('\n', at) + 1, at - output.rfind('\n', at) - 1);
        EXPECT_TRUE(line.ends_with('\\') || std::ranges::count(line, '`') % 2 == 1) << line;
      }
    }
  }
}

TEST(TextReporter, IsNeverWiderThanRequested) {
  for (const int width : {60, 80, 100, 200}) {
    for (const auto& report :
         {passed_report(), failed_report(), killed_report(), minimal_report()}) {
      const auto text = render("text", report, {.width = width});
      for (const auto line : lines_of(text)) {
        // A path is not broken, so that it can be copied.
        const bool path = trim(line).find(' ') == std::string_view::npos;
        EXPECT_TRUE(path || columns_of(line) <= static_cast<std::size_t>(width)) << line;
        EXPECT_FALSE(line.ends_with(' ')) << line;
      }
    }
  }
}

TEST(TextReporter, PassingChecksTakeOneLineUnlessVerbose) {
  auto report = passed_report();
  report.checks[1].summary =
      "14 tables with 1,204,331 rows and so many more words that they do not "
      "fit on a line of one hundred columns";
  const auto text = render("text", report);
  EXPECT_NE(text.find("    pass     row_counts         14 tables with 1,204,331 rows"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("one hundred columns"), std::string::npos) << text;
  EXPECT_LE(lines_of(text).size(), 22U) << text;
  const auto verbose = render("text", report, {.verbose = true});
  EXPECT_NE(verbose.find("one hundred columns"), std::string::npos) << verbose;
  EXPECT_NE(verbose.find("create sandbox       93ms"), std::string::npos) << verbose;
}

TEST(TextReporter, FailuresComeBeforePassingChecks) {
  const auto text = render("text", failed_report());
  EXPECT_LT(text.find("FAIL     page_checksums"), text.find("pass     landing"));
  EXPECT_LT(text.find("likely cause"), text.find("checks  "));
  EXPECT_LT(text.find("checks  "), text.find("phases  ")) << text;
}

TEST(Reporters, TimesAreInTheZoneOfTheTarget) {
  auto report = passed_report();
  report.landing->utc_offset = 60;
  for (const auto* format : {"text", "html", "markdown"}) {
    const auto output = render(format, report);
    EXPECT_NE(output.find("2026-11-20 03:58:31+01:00"), std::string::npos) << format;
    EXPECT_EQ(output.find(" UTC"), std::string::npos) << format << output;
  }
}

TEST(TextReporter, ShowsTwentyFindingsOfACheckAndCountsTheRest) {
  Report report = failed_report();
  report.checks[2].findings.assign(1000, Finding{.code = FindingCode::rows_differ, .object = "t"});
  const auto text = render("text", report);
  EXPECT_NE(text.find("980 more, see: "), std::string::npos);
  EXPECT_LT(lines_of(text).size(), 100U);
}

TEST(TextReporter, GroupsChecksSkippedForTheSameReason) {
  auto report = minimal_report();
  report.finished = report.started;
  report.checks = {{.name = "landing", .verdict = Verdict::fail, .summary = "not there"}};
  for (const auto* name : {"amcheck", "indexes", "identity"}) {
    report.checks.push_back(
        {.name = name, .verdict = Verdict::skipped, .summary = "not reached: no WAL"});
  }
  const auto text = render("text", report);
  EXPECT_NE(text.find("skipped  3 checks: not reached: no WAL"), std::string::npos) << text;
  EXPECT_NE(text.find("amcheck, indexes, identity"), std::string::npos) << text;
  EXPECT_EQ(text.find("no WAL"), text.rfind("no WAL")) << text;
}

TEST(TextReporter, CommandToConnectIsNotWrapped) {
  auto report = passed_report();
  report.sandbox.kept = true;
  report.sandbox.connect =
      "psql -h '/var/lib/pgrehearse/a b/sandboxes/20261120T030000Z-1a2b3c4d' -p 5432 -U postgres";
  const auto text = render("text", report, {.width = 60});
  EXPECT_NE(text.find("  connect       " + report.sandbox.connect + "\n"), std::string::npos)
      << text;
}

TEST(Reporters, LineBreaksInEvidenceAreNotEscapes) {
  auto report = failed_report();
  report.diagnosis.evidence = {"FATAL:  invalid page\n\tCONTEXT:  relation base/5/16384"};
  const auto text = render("text", report);
  EXPECT_NE(text.find("  evidence      FATAL: invalid page\n                CONTEXT: relation"),
            std::string::npos)
      << text;
  const auto markdown = render("markdown", report);
  EXPECT_NE(markdown.find("`FATAL:  invalid page CONTEXT:  relation base/5/16384`"),
            std::string::npos)
      << markdown;
}

// A fingerprint file without an exact snapshot has a position and no method.
TEST(Reporters, InexactComparisonIsAComparison) {
  auto report = passed_report();
  report.comparison = {.method = "none", .lsn = parse_lsn("0/7"), .explanation = "shop"};
  EXPECT_NE(render("text", report).find("approximate at 0/7: shop"), std::string::npos);
  report.comparison = {.method = "none", .explanation = "no primary"};
  EXPECT_NE(render("text", report).find("content not compared: no primary"), std::string::npos);
}

TEST(TextReporter, KilledDrillIsUnknown) {
  Report report = killed_report();
  report.verdict = Verdict::pass;
  const auto text = render("text", report);
  EXPECT_TRUE(text.starts_with("UNKNOWN")) << text;
  EXPECT_NE(text.find("did not finish"), std::string::npos);
}

TEST(JunitReporter, VerdictNotExplainedByAnyCheckHasItsOwnTestCase) {
  Report report = passed_report();
  report.verdict = Verdict::fail;
  report.diagnosis.summary = "recovery stopped";
  EXPECT_NE(render("junit", report).find("name=\"drill\""), std::string::npos);
  EXPECT_EQ(render("junit", failed_report()).find("name=\"drill\""), std::string::npos);
  EXPECT_NE(render("junit", killed_report()).find("errors=\"1\""), std::string::npos);
  report = passed_report();
  report.checks.clear();
  EXPECT_NE(render("junit", report).find("tests=\"1\""), std::string::npos);
}

TEST(HtmlReporter, EscapesMarkupAndControlCharacters) {
  Report report = passed_report();
  report.scenario.name = "<script>alert(1)</script>";
  report.checks[0].summary = "a \x1b[31m & \"b\" \xe2\x80\xae reversed";
  const auto page = render("html", report);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
  EXPECT_NE(page.find("a \\x1b[31m &amp; &quot;b&quot; \\u202e reversed"), std::string::npos);
}

TEST(HtmlReporter, FailedChecksComeFirstAndAreOpen) {
  const auto page = render("html", failed_report());
  const auto failed = page.find("<bdi class=\"name\">page_checksums</bdi>");
  EXPECT_LT(failed, page.find("<bdi class=\"name\">landing</bdi>"));
  EXPECT_NE(page.rfind("data-row open", failed), std::string::npos);
}

TEST(HtmlReporter, ShowsTheComparisonTableByTable) {
  auto report = passed_report();
  report.comparison.tables[0].name = "shop.public.<script>";
  const auto page = render("html", report);
  EXPECT_NE(page.find("<bdi>shop.public.&lt;script&gt;</bdi>"), std::string::npos);
  EXPECT_NE(page.find("data-value=\"1200000\">1,200,000</td>"), std::string::npos);
  EXPECT_NE(page.find("Tables: 1 not compared, 1 same"), std::string::npos);
}

TEST(HtmlReporter, ShowsTheTrendOfPastDrills) {
  const auto now = passed_report().started;
  const auto page = render("html", passed_report(),
                           {.past = {{.started = now - std::chrono::hours(24), .rto = 200}}});
  EXPECT_NE(page.find("class=\"trend\""), std::string::npos);
  EXPECT_NE(page.find("2 drills since 2026-11-19 03:00:00 UTC: from 3min 20s to 4min 25s"),
            std::string::npos)
      << page;
  EXPECT_EQ(render("html", passed_report()).find("class=\"trend\""), std::string::npos);
}

TEST(HtmlReporter, HasNoInlineScriptOrStyleForAServer) {
  auto page = render("html", failed_report(), {.linked_assets = true});
  EXPECT_EQ(page.find("<style"), std::string::npos);
  EXPECT_EQ(page.find("style=\""), std::string::npos);
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("<script src=\"/assets/report.js\" defer>"), std::string::npos);
}

TEST(HtmlReporter, EvidenceKeepsItsLines) {
  auto report = failed_report();
  report.diagnosis.evidence = {"LOG:  first\n\tsecond"};
  EXPECT_NE(render("html", report).find("LOG:  first\n\tsecond"), std::string::npos);
}

TEST(HtmlReporter, ShowsAtMostTwoHundredFindingsOfACheck) {
  Report report = failed_report();
  report.checks[2].findings.assign(1000, Finding{.code = FindingCode::rows_differ, .object = "t"});
  EXPECT_NE(render("html", report).find("800 more findings"), std::string::npos);
}

TEST(MarkdownReporter, FailuresComeFirstAndTheRestIsFolded) {
  const auto text = render("markdown", failed_report());
  const auto folded = text.find("<details>");
  EXPECT_LT(text.find("### \u274c **fail** page_checksums"), folded) << text;
  EXPECT_GT(text.find("| landing |"), folded) << text;
  EXPECT_NE(text.find("| RTO | 33min (objective 30min): missed |"), std::string::npos) << text;
}

TEST(JunitReporter, EveryCaseHasItsNumbersAndMessagesAreOneLine) {
  auto report = failed_report();
  report.checks[1].findings[0].message = "two\nlines";
  const auto text = render("junit", report);
  EXPECT_NE(text.find("<system-out>0/D4000A8 on timeline 1</system-out>"), std::string::npos)
      << text;
  EXPECT_NE(text.find("message=\"two lines\""), std::string::npos) << text;
  EXPECT_EQ(text.find("&#10;"), std::string::npos) << text;
}

TEST(MarkdownReporter, EscapesPipesAndMarkup) {
  Report report = passed_report();
  report.checks[0].summary = "a|b <img> *x* [y](z) @ `c`";
  report.checks[1].summary = "[055]: C:\\temp #1, a_b > c";
  const auto text = render("markdown", report);
  EXPECT_NE(text.find(R"(a\|b \<img> \*x\* \[y\](z) @ \`c\`)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(| [055]: C:\temp #1, a_b > c |)"), std::string::npos) << text;
}

}  // namespace
}  // namespace pgrehearse
