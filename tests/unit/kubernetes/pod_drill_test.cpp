#include "harness/kubernetes/pod_drill.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/sample_reports.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

const std::string pod_head =
    scenario_head + "sandbox: { type: kubernetes, image: \"pgrehearse:15\" }\n";

std::string log_with(const Report& report) {
  return "weekly: restore: 3s\n" + std::string(pod_report_mark) +
         nlohmann::ordered_json::parse(to_json(report)).dump() + "\nlast words\n";
}

std::string refusal(const std::string& log, const std::string& scenario, int exit_code) {
  try {
    report_in_log(log, scenario, exit_code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), FindingCode::env_kubernetes);
    return error.what();
  }
  return {};
}

TEST(ReportInLog, IsFoundBetweenOtherLines) {
  const auto original = passed_report();
  const auto found = report_in_log(log_with(original), original.scenario.name, 0);
  EXPECT_EQ(to_json(found), to_json(original));
}

TEST(ReportInLog, NoEvidenceIsNeverAPass) {
  const auto passed = passed_report();
  const auto& name = passed.scenario.name;
  EXPECT_EQ(refusal(log_with(passed), name, 0), "");
  EXPECT_EQ(refusal("weekly: restore: 3s\n", name, 0), "no report in the log of the pod");
  EXPECT_NE(refusal(log_with(passed), name, 137), "");
  EXPECT_NE(refusal(log_with(passed), "another", 0), "");
  EXPECT_NE(refusal(log_with(failed_report()), failed_report().scenario.name, 0), "");
  auto unfinished = passed;
  unfinished.finished.reset();
  EXPECT_NE(refusal(log_with(unfinished), name, 0), "");
  const auto log = log_with(passed);
  EXPECT_NE(refusal(log.substr(0, log.size() / 2), name, 0).find("cannot read"), std::string::npos);
}

TEST(PodScenario, HasALocalSandboxAndNoPathsOfThisHost) {
  const auto inside =
      parse(pod_head +
                "reports: { json: out.json }\ntimeout: 2h\n"
                "recover_to: { time: \"2026-11-20 03:00:00+00\" }\n"
                "checks: [page_checksums, amcheck: { heapallindexed: true, parallel: 4 }]\n",
            {"sandbox.memory=1GB", "sandbox.cpus=3", "recover_to.exclusive=true"})
          .inside_pod;
  const auto again = parse(inside);
  EXPECT_EQ(again.name, "weekly");
  EXPECT_EQ(again.sandbox.type, "local");
  EXPECT_EQ(again.sandbox.directory, pod_sandboxes);
  EXPECT_EQ(again.sandbox.memory, Bytes{std::uint64_t{1} << 30U});
  EXPECT_EQ(again.sandbox.cpus, 3);
  EXPECT_TRUE(again.target.exclusive);
  EXPECT_TRUE(again.reports.empty());
  EXPECT_FALSE(again.timeout);
  ASSERT_EQ(again.checks.size(), 2U);
  EXPECT_EQ(again.checks[1].settings.get<std::int64_t>("parallel"), 4);
}

TEST(PodScenario, KeepsTextAsItIs) {
  const auto inside = parse(pod_head +
                            "checks: [{ query: { sql: select 1, expect: 1, name: \"a 'b' \\\"c\\\" "
                            "$${D} \\\\\" } }]\n")
                          .inside_pod;
  EXPECT_EQ(parse(inside).checks.at(0).name, "a 'b' \"c\" ${D} \\");
}

TEST(PodScenario, SettingsAPodCannotUseAreRejected) {
  setenv("PGR_TEST_SECRET", "hunter2", 1);
  const auto errors = errors_of(scenario_head +
                                "primary: { dsn: \"dbname=${PGR_TEST_SECRET}\" }\n"
                                "sandbox:\n  type: kubernetes\n  run_as: me\n  egress: repository\n"
                                "  kubernetes: { namespace: No_Name, user: 0 }\n");
  for (const auto* words :
       {"may not connect to a live primary", "a value from the environment", "missing key 'image'",
        "'run_as' cannot be used with sandbox.type: kubernetes",
        "requires the repository's addresses", "'No_Name' is not a valid Kubernetes object name",
        "refuses to run as root"}) {
    EXPECT_NE(errors.find(words), std::string::npos) << words << "\nin\n" << errors;
  }
  EXPECT_EQ(errors.find("hunter2"), std::string::npos);
  EXPECT_NE(errors_of(scenario_head +
                      "sandbox: { type: kubernetes, image: i, kubernetes: { repository_addresses: "
                      "[s3.example:443] } }\n")
                .find("requires egress"),
            std::string::npos);
  EXPECT_EQ(errors_of(pod_head), "");
}

TEST(PodRequest, ComesFromTheScenario) {
  const auto scenario = parse(
      "name: weekly\nrepository: { stanza: s, config: /conf/d/p.conf }\n"
      "sandbox: { type: kubernetes, image: i }\ntimeout: 1h\n");
  const auto made = pod_request(scenario, "run-1", "/state", {5}, std::chrono::minutes(10));
  EXPECT_EQ(made.spec.run_id, "run-1");
  EXPECT_EQ(made.configuration_directory, "/conf/d");
  EXPECT_EQ(made.deadline, std::chrono::minutes(15));
  EXPECT_GT(made.expires, std::chrono::system_clock::now() + std::chrono::hours(1));
  EXPECT_EQ(made.scenario, scenario.inside_pod);
  EXPECT_EQ(pod_request(scenario, "r", "/state", {5}, {}).deadline,
            std::chrono::hours(24) + std::chrono::minutes(5));
}

}  // namespace
}  // namespace pgrehearse
