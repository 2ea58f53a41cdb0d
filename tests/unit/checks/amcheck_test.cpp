#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Runner = ScriptedCommandRunner;

constexpr auto progress = "826/826 relations (100%), 2919/2919 pages (100%)\n";

class AmcheckCheck : public testing::Test {
 protected:
  AmcheckCheck() {
    bench.sandbox = &sandbox;
    bench.backup.postgres_major = 15;
    bench.databases = {"shop"};
  }

  CheckOutcome run(const Settings& settings = {}) { return run_check("amcheck", bench, settings); }

  ScriptedCommandRunner runner;
  ScriptedSandbox sandbox{runner};
  CheckBench bench;
};

TEST_F(AmcheckCheck, PassesAndCounts) {
  runner.on({"pg_amcheck"}, Runner::success("", progress));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_EQ(outcome.summary, "1 database, 826 relations, 2919 pages, 0 problems");
  EXPECT_THAT(bench.progress, ElementsAre("2919/2919 pages of shop"));
  const auto& arguments = runner.commands().at(0).arguments;
  for (const auto* expected : {"--heapallindexed", "--install-missing", "/sandbox/sockets",
                               "dbname='shop'", "--no-password"}) {
    EXPECT_THAT(arguments, Contains(std::string(expected)));
  }
  EXPECT_THAT(arguments, Not(Contains(std::string("--parent-check"))));
}

TEST_F(AmcheckCheck, SettingsBecomeOptions) {
  runner.on({"pg_amcheck"}, Runner::success("", progress));
  bench.databases = {"odd\"name", "scratch", "shop"};
  bench.connect = [](const std::string&) -> Connection {
    throw SqlError(ErrorKind::startup, "pg_amcheck reports it", "");
  };
  run(settings_of({{"heapallindexed", false},
                   {"rootdescend", true},
                   {"install", false},
                   {"jobs", std::int64_t{7}},
                   {"exclude", std::vector<std::string>{"scratch", "shop"}}}));
  ASSERT_EQ(runner.commands().size(), 1U);
  const auto& arguments = runner.commands()[0].arguments;
  // Not in the database `postgres`, which a cluster may lack.
  EXPECT_THAT(arguments, Contains(std::string("dbname='odd\"name'")));
  EXPECT_THAT(arguments, Contains(std::string("7")));
  EXPECT_THAT(arguments, Contains(std::string("--rootdescend")));
  EXPECT_THAT(arguments, Not(Contains(std::string("--install-missing"))));
  EXPECT_THAT(arguments, Not(Contains(std::string("--heapallindexed"))));
}

TEST_F(AmcheckCheck, NeedsAWritableInstanceOnlyIfItWrites) {
  const auto state = [](const Settings& settings) {
    return check_named("amcheck").state_for(settings);
  };
  EXPECT_EQ(state({}), InstanceState::read_write);
  EXPECT_EQ(state(settings_of({{"install", false}})), InstanceState::paused);
  EXPECT_EQ(state(settings_of({{"install", false}, {"parent_check", true}})),
            InstanceState::read_write);
}

TEST_F(AmcheckCheck, NamesTheDamagedRelation) {
  runner.on({"pg_amcheck"},
            Runner::failure(2, progress,
                            "btree index \"shop.public.plain_t\":\n    ERROR:  heap tuple (166,81) "
                            "from table \"plain\" lacks matching index tuple within index "
                            "\"plain_t\"\nheap table \"shop.sales.far\", block 1, offset 4:\n"
                            "    xmin 999999 equals or exceeds next valid transaction ID 0:729\n"));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-AMCHECK-INDEX shop.public.plain_t",
                                                      "PGR-AMCHECK-HEAP shop.sales.far"));
  EXPECT_EQ(outcome.findings[1].message,
            "table shop.sales.far, block 1, offset 4: xmin 999999 equals or exceeds next valid "
            "transaction ID 0:729");
}

TEST_F(AmcheckCheck, LimitsTheFindingsPerRelation) {
  std::string flood;
  for (int line = 0; line < 1000; ++line) {
    flood += "heap table \"shop.public.t\", block 1, offset 1:\n    bad\n";
  }
  runner.on({"pg_amcheck"}, Runner::failure(2, progress, flood));
  const auto outcome = run();
  EXPECT_EQ(outcome.findings.size(), 5U);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("1 of 1000 problems"));
}

TEST_F(AmcheckCheck, IsUnknownWhereTheExtensionIsMissing) {
  bench.databases = {"postgres", "shop"};
  runner
      .on({"pg_amcheck", "dbname='postgres'"},
          Runner::failure(1,
                          "pg_amcheck: warning: skipping database \"postgres\": amcheck is not "
                          "installed\npg_amcheck: error: no relations to check\n"))
      .on({"pg_amcheck"}, Runner::success("", progress));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-AMCHECK-SKIPPED postgres"));
}

TEST_F(AmcheckCheck, ADamagedCatalogFailsAndOtherDatabasesAreStillChecked) {
  bench.databases = {"broken", "shop"};
  runner
      .on({"pg_amcheck", "dbname='broken'"},
          Runner::failure(1,
                          "pg_amcheck: error: connection to server on socket \"/s\" failed: "
                          "FATAL:  invalid page in block 0 of relation base/16384/1259\n"))
      .on({"pg_amcheck"}, Runner::success("", progress));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-AMCHECK-DATABASE broken"));
  EXPECT_EQ(runner.commands().size(), 2U);
}

TEST_F(AmcheckCheck, IsUnknownWhenTheToolFails) {
  runner.on({"pg_amcheck"},
            Runner::failure(1,
                            "pg_amcheck: error: query failed: ERROR:  extension \"amcheck\" is "
                            "not available\n"));
  auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(outcome.findings.at(0).hint, HasSubstr("contrib"));
}

TEST_F(AmcheckCheck, IsUnknownWhenTheToolWasKilled) {
  runner.on({"pg_amcheck"}, CommandResult{.exit_code = -1, .signal = 9});
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

TEST_F(AmcheckCheck, CheckingNoRelationIsNotAPass) {
  bench.databases.clear();
  EXPECT_EQ(run().verdict, Verdict::unknown);
  bench.databases = {"shop"};
  runner.on({"pg_amcheck"}, Runner::success());
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

TEST_F(AmcheckCheck, ExitCodeTwoFailsWhateverTheOutput) {
  runner.on({"pg_amcheck"}, Runner::failure(2, progress, "words of a later release\n"));
  EXPECT_EQ(run().verdict, Verdict::fail);
}

TEST_F(AmcheckCheck, IsUnknownForAMissingDatabase) {
  const auto outcome = run(settings_of({{"databases", std::vector<std::string>{"shpo"}}}));
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-AMCHECK-ERROR shpo"));
}

TEST_F(AmcheckCheck, IsUnknownBeforePostgres14) {
  bench.backup.postgres_major = 13;
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
