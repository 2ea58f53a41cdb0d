#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "harness/report/report.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

TEST(ReportJson, IsReadBackUnchanged) {
  for (const auto& report : {passed_report(), failed_report(), killed_report(), Report{}}) {
    const auto once = to_json(report);
    EXPECT_EQ(to_json(report_from_json(once)), once);
  }
}

void expect_values_everywhere(const nlohmann::json& value, const std::string& path) {
  if (value.is_structured()) {
    EXPECT_FALSE(value.empty()) << path;
    for (const auto& [key, child] : value.items()) {
      expect_values_everywhere(child, fmt::format("{}/{}", path, key));
    }
    return;
  }
  EXPECT_FALSE(value.is_null() || value == "" || value == false || value == 0) << path;
}

TEST(ReportJson, EveryFieldIsReadBack) {
  Report report = failed_report();
  report.error_kind = "recovery";
  report.scenario.seed = 173205080;
  report.rpo.measured = 3;
  report.comparison = {.exact = true,
                       .method = "slot",
                       .lsn = parse_lsn("0/1"),
                       .candidates = 8,
                       .explanation = "why",
                       .tables = {{.name = "shop.public.orders",
                                   .result = "missing rows",
                                   .coverage = "full",
                                   .expected = 3,
                                   .actual = 2,
                                   .bytes = 8192,
                                   .note = "why"}},
                       .tables_omitted = 7};
  report.archive->ranges[0].reason = "why";
  report.landing->target_time = report.started;
  report.landing->utc_offset = 60;
  report.landing->first_withheld = {.xid = 5, .lsn = *parse_lsn("1/2"), .time = report.started};
  report.sandbox.removed = report.sandbox.kept = true;
  report.sandbox.connect = "psql";
  report.sandbox.isolation = {"network namespace"};
  for (auto& command : report.commands) command.exit_code = 1;
  report.checks = {report.checks[1]};
  report.phases = {report.phases[3]};

  const auto once = to_json(report);
  expect_values_everywhere(nlohmann::json::parse(once), "");
  EXPECT_EQ(to_json(report_from_json(once)), once);
}

TEST(ReportJson, FindingHasTheSeverityOfItsCodeUnlessItStatesAnother) {
  Report report;
  report.checks.push_back(
      {.name = "one",
       .findings = {{.code = FindingCode::wal_gap},
                    {.code = FindingCode::wal_gap, .severity = Severity::note}}});
  const auto findings = nlohmann::json::parse(to_json(report))["checks"][0]["findings"];
  EXPECT_EQ(findings[0]["severity"], "error");
  EXPECT_EQ(findings[1]["severity"], "note");
  const auto again = report_from_json(to_json(report));
  EXPECT_EQ(severity_of(again.checks[0].findings[1]), Severity::note);
}

TEST(ReportJson, CodeOfAnotherReleaseReadsAsNone) {
  auto document = nlohmann::json::parse(to_json(failed_report()));
  document["checks"][1]["findings"][0]["code"] = "PGR-OF-ANOTHER-RELEASE";
  const auto report = report_from_json(document.dump());
  EXPECT_EQ(report.checks[1].findings[0].code, FindingCode::none);
  EXPECT_EQ(severity_of(report.checks[1].findings[0]), Severity::error);
}

TEST(ReportJson, HasThePromisedTopLevelKeys) {
  const auto document = nlohmann::json::parse(to_json(passed_report()));
  for (const auto* key :
       {"schema", "id", "scenario", "verdict", "diagnosis", "backup", "landing", "phases",
        "objectives", "comparison", "checks", "sandbox", "tools", "commands"}) {
    EXPECT_TRUE(document.contains(key)) << key;
  }
  EXPECT_EQ(document["schema"], "pgrehearse.report/1");
  EXPECT_EQ(document["landing"]["lsn"], "0/D4000A8");
  EXPECT_EQ(document["objectives"]["rto"]["objective"], 1800);
  EXPECT_EQ(document["backup"]["system_identifier"], "7301234567890123456");
}

TEST(ReportJson, AbsentValuesAreNull) {
  const auto document = nlohmann::json::parse(to_json(killed_report()));
  EXPECT_TRUE(document["finished"].is_null());
  EXPECT_TRUE(document["landing"].is_null());
  EXPECT_TRUE(document["phases"][3]["bytes"].is_null());
}

TEST(ReportJson, InvalidUtf8AndNumbersThatAreNoneDoNotThrow) {
  Report report = failed_report();
  report.phases[0].seconds = std::numeric_limits<double>::quiet_NaN();
  report.rto.measured = std::numeric_limits<double>::infinity();
  report.tools["\xff\xfe"] = "\xc3";
  const auto text = to_json(report);
  EXPECT_EQ(nlohmann::json::parse(text)["phases"][0]["seconds"], 0);
  EXPECT_FALSE(report_from_json(text).rto.measured);
  EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos);  // U+FFFD
  EXPECT_NO_THROW(report_from_json(text));
}

std::string refusal(const std::string& text) {
  try {
    report_from_json(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(ReportJson, RefusalNamesTheKey) {
  auto document = nlohmann::json::parse(to_json(failed_report()));
  document["checks"][1]["findings"][0]["code"] = 7;
  EXPECT_EQ(refusal(document.dump()), "report key 'checks[1].findings[0].code' is not a string");

  document = nlohmann::json::parse(to_json(failed_report()));
  document["landing"]["timeline"] = -1;
  EXPECT_EQ(refusal(document.dump()),
            "report key 'landing.timeline' is not a whole number within its range");

  document = nlohmann::json::parse(to_json(failed_report()));
  document["landing"]["last_applied"]["lsn"] = "x";
  EXPECT_EQ(refusal(document.dump()),
            "report key 'landing.last_applied.lsn' is not a WAL position");

  document = nlohmann::json::parse(to_json(failed_report()));
  document["diagnosis"]["likely_cause"] = "instance";
  EXPECT_EQ(refusal(document.dump()), "report key 'diagnosis.likely_cause' is not a likely cause");

  document["schema"] = "pgrehearse.report/2";
  EXPECT_EQ(refusal(document.dump()),
            "report key 'schema' is 'pgrehearse.report/2', not 'pgrehearse.report/1'");
  document.erase("schema");
  EXPECT_EQ(refusal(document.dump()), "report key 'schema' is not there");
  EXPECT_EQ(refusal("{\"schema\": \"pgreh"), "report is not complete JSON");
  EXPECT_EQ(refusal("[]"), "report is not an object");
}

}  // namespace
}  // namespace pgrehearse
