// The role of docs/comparison.md suffices, and each grant that is missing costs what is written
// there: something is listed as not compared, the rest is compared.

#include <unistd.h>

#include <thread>

#include "harness/postgres/binaries.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "tests/contract/sql_checks/comparison_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ComparisonRoleTest : public ComparisonTest {
 protected:
  void SetUp() override {
    ComparisonTest::SetUp();
    if (IsSkipped()) return;
    make_copy();
    // As in docs/comparison.md.
    copy_cluster().execute("postgres", {"create role pgrehearse login bypassrls",
                                        "grant pg_read_all_data, pg_monitor to pgrehearse"});
  }
  void TearDown() override {
    if (IsSkipped()) return;
    ComparisonTest::TearDown();
    copy_cluster().execute(original,
                           {"drop owned by pgrehearse", "drop role pgrehearse",
                            fmt::format("grant connect on database {} to public", original),
                            "grant usage on schema public to public"});
  }

  // What comparing with this role's fingerprint finds in a copy where a row of parted was changed:
  // that, whatever else is missing.
  std::vector<std::string> compare_as_role() {
    copy_cluster().execute(copy, {"update parted set v = 'changed' where id = 150"});
    auto found = compare(take("pgrehearse"));
    EXPECT_EQ(std::erase(found, "CONTENT public.parted_high"), 1U);
    // Taken in the middle of the test, so the role itself is in both.
    return found;
  }
  // Instead of pg_read_all_data: object by object.
  static void grant_one_by_one() {
    copy_cluster().execute("postgres", {"revoke pg_read_all_data from pgrehearse"});
    copy_cluster().execute(original,
                           {"grant usage on schema public to pgrehearse",
                            "grant select on all tables in schema public to pgrehearse",
                            "grant select on all sequences in schema public to pgrehearse",
                            "grant select on pg_largeobject to pgrehearse"});
    // They are in the fingerprint and not in the copy.
  }
  static std::vector<std::string> without_grants(std::vector<std::string> found) {
    std::erase_if(found,
                  [](const auto& text) { return text.find("CATALOG") != std::string::npos; });
    return found;
  }
};

TEST_F(ComparisonRoleTest, TheDocumentedRoleSuffices) {
  EXPECT_THAT(compare_as_role(), IsEmpty());
  EXPECT_EQ(tally.gaps, 0U);
  EXPECT_EQ(tally.rows, 5367U);
}

TEST_F(ComparisonRoleTest, GrantsOneByOneSufficeToo) {
  grant_one_by_one();
  EXPECT_THAT(without_grants(compare_as_role()), IsEmpty());
  EXPECT_EQ(tally.gaps, 0U);
}

TEST_F(ComparisonRoleTest, WithoutBypassRlsTablesWithPoliciesAreListed) {
  copy_cluster().execute("postgres", {"alter role pgrehearse nobypassrls"});
  EXPECT_THAT(compare_as_role(), ElementsAre("INCOMPLETE public.orders"));
  EXPECT_EQ(findings.back().details.at("cause"), "permission");
}

TEST_F(ComparisonRoleTest, ATableThatItMayNotReadIsListed) {
  grant_one_by_one();
  copy_cluster().execute(original, {"revoke select on twins from pgrehearse"});
  EXPECT_THAT(without_grants(compare_as_role()), ElementsAre("INCOMPLETE public.twins"));
}

TEST_F(ComparisonRoleTest, AColumnThatItMayNotReadIsListedAndTheOthersAreCompared) {
  grant_one_by_one();
  copy_cluster().execute(original, {"revoke select on returns from pgrehearse",
                                    "grant select (id, customer, amount, placed, tags) on returns "
                                    "to pgrehearse"});
  copy_cluster().execute(copy, {"update returns set amount = 2 where id = 100001"});
  EXPECT_THAT(without_grants(compare_as_role()),
              UnorderedElementsAre("CONTENT public.returns", "INCOMPLETE public.returns.note"));
}

TEST_F(ComparisonRoleTest, ASequenceThatItMayNotReadIsListed) {
  grant_one_by_one();
  copy_cluster().execute(original, {"revoke select on sequence numbers from pgrehearse"});
  EXPECT_THAT(without_grants(compare_as_role()), ElementsAre("INCOMPLETE public.numbers"));
}

TEST_F(ComparisonRoleTest, WithoutUsageOfASchemaItsTablesAreListed) {
  copy_cluster().execute(original, {"create schema vault", "create table vault.gold (i int)"});
  copy_cluster().execute(copy, {"create schema vault", "create table vault.gold (i int)"});
  grant_one_by_one();
  copy_cluster().execute(original, {"grant select on vault.gold to pgrehearse"});
  const auto found = without_grants(compare_as_role());
  copy_cluster().execute(original, {"drop schema vault cascade"});
  EXPECT_THAT(found, ElementsAre("INCOMPLETE vault.gold"));
}

TEST_F(ComparisonRoleTest, WithoutPgReadAllDataLargeObjectsAreListed) {
  grant_one_by_one();
  copy_cluster().execute(original, {"revoke select on pg_largeobject from pgrehearse"});
  EXPECT_THAT(without_grants(compare_as_role()),
              ElementsAre("INCOMPLETE pg_catalog.pg_largeobject"));
}

TEST_F(ComparisonRoleTest, WithoutConnectTheDatabaseIsListed) {
  copy_cluster().execute("postgres",
                         {fmt::format("revoke connect on database {} from public", original)});
  FingerprintReader reader(std::make_unique<std::istringstream>(take("pgrehearse")), "memory");
  const auto databases = databases_of(reader);
  ASSERT_EQ(databases.size(), 1U);
  EXPECT_THAT(databases[0].error, HasSubstr("permission denied for database"));
}

// A standby, as far as the primary can tell.
class Standby {
 public:
  Standby()
      : directory_(std::filesystem::temp_directory_path() / fmt::format("pgr-wal-{}", getpid())) {
    std::filesystem::create_directory(directory_);
    process_ = std::jthread([this](const std::stop_token& stop) {
      BoostCommandRunner runner;
      runner.run({.program = find_binaries(installed_majors().back(), {}) / "pg_receivewal",
                  .arguments = {"--directory", directory_, "--dbname", copy_cluster().dsn()}},
                 stop);
    });
    auto connection = copy_cluster().connect("postgres");
    while (connection.query("select state from pg_stat_replication").rows.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  ~Standby() {
    process_.request_stop();
    process_.join();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

 private:
  std::filesystem::path directory_;
  std::jthread process_;
};

TEST_F(ComparisonRoleTest, WithoutPgMonitorNothingIsReadWhenTheLagMustBeWatched) {
  const Standby standby;
  const FingerprintRules rules{.budget = {.max_replica_lag = std::chrono::minutes(1)}};
  EXPECT_THAT(compare(take("pgrehearse", rules)), IsEmpty());
  copy_cluster().execute("postgres", {"revoke pg_monitor from pgrehearse"});
  FingerprintReader reader(std::make_unique<std::istringstream>(take("pgrehearse", rules)),
                           "memory");
  EXPECT_THAT(databases_of(reader).front().error, HasSubstr("grant pg_monitor"));
}

}  // namespace
}  // namespace pgrehearse
