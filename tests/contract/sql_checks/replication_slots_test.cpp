#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReplicationSlotsTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    drop_slots();
    primary.emplace(primary_cluster().dsn());
    bench.primary = &*primary;
  }
  void TearDown() override {
    if (primary) drop_slots();
  }

  static void drop_slots() {
    primary_cluster().execute(
        "postgres", {"select pg_drop_replication_slot(slot_name) from pg_replication_slots"});
  }

  static Settings expecting(std::vector<std::string> names) {
    return settings_of({{"expected", std::move(names)}});
  }

  std::optional<Primary> primary;
};

TEST_F(ReplicationSlotsTest, PassesWhereTheExpectedOnesExist) {
  primary_cluster().execute("postgres", {"select pg_create_physical_replication_slot('standby1')"});
  const auto outcome = run_check("replication_slots", expecting({"standby1"}));
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(outcome.summary, HasSubstr("a backup contains no slots"));
}

TEST_F(ReplicationSlotsTest, NamesAMissingOne) {
  primary_cluster().execute("postgres", {"select pg_create_physical_replication_slot('standby1')"});
  const auto outcome = run_check("replication_slots", expecting({"standby2"}));
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-SLOT-MISSING standby2"));
  EXPECT_THAT(outcome.findings.at(0).hint, HasSubstr("standby1"));
}

TEST_F(ReplicationSlotsTest, NamesALostOneEvenIfItIsNotExpected) {
  primary_cluster().execute("postgres",
                            {"select pg_create_physical_replication_slot('outdated', true)"});
  // max_slot_wal_keep_size is 1MB, as is a segment.
  for (int i = 0; i < 12; ++i) {
    primary_cluster().execute("postgres", {"select pg_logical_emit_message(false, 'fill', 'x')",
                                           "select pg_switch_wal()"});
  }
  primary_cluster().execute("postgres", {"checkpoint"});
  const auto outcome = run_check("replication_slots", expecting({}));
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-SLOT-LOST outdated"));
}

TEST_F(ReplicationSlotsTest, IsUnknownWithoutAPrimary) {
  bench.primary = nullptr;
  EXPECT_EQ(run_check("replication_slots", expecting({"standby1"})).verdict, Verdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
