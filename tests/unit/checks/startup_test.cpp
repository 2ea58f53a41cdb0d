#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StartupCheck : public testing::Test {
 protected:
  StartupCheck() {
    bench.connect = [](const std::string&) -> Connection {
      throw SqlError(ErrorKind::recovery, "no server in a unit test", "57P03");
    };
  }
  ~StartupCheck() override { std::filesystem::remove(log); }

  CheckOutcome run(std::string_view text) {
    std::ofstream(log) << text;
    bench.log = log;
    return run_check("startup", bench);
  }

  std::filesystem::path log = testing::TempDir() + "pgr-startup-" + std::to_string(getpid());
  CheckBench bench;
};

TEST_F(StartupCheck, ReportsEachKindOfLineOnce) {
  const auto outcome = run(
      "2026-11-20 03:00:00.123 UTC [12] LOG:  restored log file \"000000010000000000000007\" from "
      "archive\n"
      "2026-11-20 03:00:01.123 UTC [12] WARNING:  page verification failed, calculated checksum 1 "
      "but expected 2\n"
      "2026-11-20 03:00:02.123 UTC [13] WARNING:  page verification failed, calculated checksum 1 "
      "but expected 2\n"
      "2026-11-20 03:00:03.123 UTC [12] LOG:  incorrect resource manager data checksum in record "
      "at 0/5000028\n"
      "2026-11-20 03:00:04.123 UTC [12] PANIC:  could not find tuple\n");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  const auto name = log.filename().string();
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-STARTUP-REFUSED instance", "PGR-LOG-DAMAGE " + name,
                          "PGR-WAL-DAMAGED " + name, "PGR-LOG-PANIC " + name));
  EXPECT_THAT(outcome.findings[1].message, HasSubstr("03:00:01.123"));
}

TEST_F(StartupCheck, AnIncompleteLogIsNoEvidence) {
  bench.log_complete = false;
  const auto outcome = run("2026-11-20 03:00:00.123 UTC [12] LOG:  ready\n");
  EXPECT_THAT(codes_and_objects(outcome),
              testing::Contains("PGR-LOG-INCOMPLETE " + log.filename().string()));
}

// The beginning of a segment names its cluster: the one that replay was in had been accepted.
TEST_F(StartupCheck, AForeignSegmentIsTheOneAfterTheLastAccepted) {
  bench.archive.segment_size = std::uint64_t{16} << 20U;
  for (const auto* end : {"0/2DFFFF48", "0/2E000000", "0/2E000028"}) {
    bench.landing = Landing{.lsn = parse_lsn(end), .timeline = 1};
    const auto outcome = run("t [1] LOG:  WAL file is from different database system: 1\n");
    EXPECT_THAT(codes_and_objects(outcome),
                testing::Contains("PGR-WAL-FOREIGN 00000001000000000000002E"))
        << end;
  }
}

class UnisolatedSandbox : public ScriptedSandbox {
 public:
  using ScriptedSandbox::ScriptedSandbox;
  [[nodiscard]] IsolationMeans isolation() const override {
    return {.missing = {"network namespace (Operation not permitted)"}};
  }
};

TEST_F(StartupCheck, MissingIsolationIsANote) {
  ScriptedCommandRunner runner;
  UnisolatedSandbox sandbox(runner);
  bench.sandbox = &sandbox;
  const auto outcome = run("2026-11-20 03:00:00.123 UTC [12] LOG:  ready\n");
  const auto found =
      std::ranges::find(outcome.findings, FindingCode::isolation_reduced, &Finding::code);
  ASSERT_NE(found, outcome.findings.end());
  EXPECT_EQ(found->object, "network namespace");
  EXPECT_EQ(severity_of(*found), Severity::note);
  EXPECT_THAT(found->message, HasSubstr("Operation not permitted"));
}

TEST_F(StartupCheck, LimitsTheNumberOfReportedLines) {
  std::string flood;
  for (int block = 0; block < 500; ++block) {
    flood +=
        "t [1] ERROR:  invalid page in block " + std::to_string(block) + " of relation base/5/1\n";
  }
  const auto outcome = run(flood);
  EXPECT_EQ(outcome.findings.size(), 21U);
  EXPECT_THAT(outcome.findings.back().message, HasSubstr("and 480 more such lines"));
}

}  // namespace
}  // namespace pgrehearse
