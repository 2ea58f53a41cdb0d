#include "harness/reporting/several_drills.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/common/error.hpp"
#include "harness/reporting/formats.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

class SeveralDrillsTest : public testing::Test {
 protected:
  [[nodiscard]] SeveralDrills drills() const { return {.reports = reports, .not_run = not_run}; }

  std::vector<Report> reports{passed_report(), failed_report()};
  std::vector<NotRun> not_run{{.scenario = "third", .reason = "the disk is <full>"}};
};

TEST_F(SeveralDrillsTest, JUnitHasOneSuitePerScenarioAndTheSumOfTheirCounts) {
  std::ostringstream out;
  write_junit(drills(), out);
  const auto text = out.str();
  std::size_t suites = 0;
  for (std::size_t at = 0; (at = text.find("<testsuite ", at)) != std::string::npos; ++at) ++suites;
  EXPECT_EQ(suites, 3U);
  EXPECT_THAT(text, HasSubstr("<error type=\"unknown\" message=\"the disk is &lt;full&gt;\">"));
  const auto tests = reports[0].checks.size() + reports[1].checks.size() + 1;
  EXPECT_THAT(text, HasSubstr("<testsuites name=\"pgrehearse\" tests=\"" + std::to_string(tests)));
}

TEST_F(SeveralDrillsTest, MarkdownBeginsWithAnOverview) {
  std::ostringstream out;
  write_markdown(drills(), out);
  const auto text = out.str();
  EXPECT_THAT(text, testing::StartsWith("# \u274c **fail** 3 drills\n"));
  EXPECT_THAT(text, HasSubstr("| third | the disk is \\<full> |"));
  const auto overview = text.find("| \u2705 pass | " + reports[0].scenario.name);
  EXPECT_LT(overview, text.find("## \u2705 pass"));
}

TEST_F(SeveralDrillsTest, JsonIsAListThatNamesWhatWasNotRun) {
  std::ostringstream out;
  write_json(drills(), out);
  const auto list = nlohmann::json::parse(out.str());
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["schema"], "pgrehearse.report/1");
  EXPECT_EQ(list[2]["verdict"], "unknown");
  EXPECT_EQ(list[2]["scenario"]["name"], "third");
}

TEST_F(SeveralDrillsTest, HtmlIsRefused) {
  EXPECT_THROW(require_format_for_several("html"), Error);
  EXPECT_NO_THROW(require_format_for_several("junit"));
}

// A command that is killed before its first drill must not leave a green file.
TEST_F(SeveralDrillsTest, NothingRunIsNotAPass) {
  std::ostringstream out;
  write_markdown({.reports = {}, .not_run = not_run}, out);
  EXPECT_THAT(out.str(), HasSubstr("**unknown**"));
  EXPECT_THAT(out.str(), Not(HasSubstr("pass")));
}

}  // namespace
}  // namespace pgrehearse
