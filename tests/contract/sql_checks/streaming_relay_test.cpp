#include "harness/primary/streaming_relay.hpp"

#include "harness/common/poll_until.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {
namespace {

using std::chrono::milliseconds;

class StreamingRelayTest : public SqlCheckTest {
 protected:
  static bool soon(const std::function<bool()>& condition,
                   milliseconds limit = std::chrono::minutes(1)) {
    return poll_until(std::chrono::steady_clock::now() + limit, milliseconds(20), {}, condition);
  }
  void SetUp() override {
    SqlCheckTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    primary.emplace(primary_cluster().dsn());
    relay.emplace(*primary,
                  StreamingRelayOptions{.socket = restored_files.paths().root / ".s.PGSQL.5436",
                                        .account = current_account(),
                                        .application_name = "pgrehearse-test"});
  }
  static std::string position() {
    return primary_cluster().connect("postgres").query("select pg_current_wal_lsn()").text(0, 0);
  }
  // As a standby connects.
  [[nodiscard]] Connection connect_standby() const {
    return Connection::open({{"host", restored_files.paths().root.native()},
                             {"port", "5436"},
                             {"user", "replication"},
                             {"replication", "true"}},
                            {});
  }

  std::optional<Primary> primary;
  std::optional<StreamingRelay> relay;
};

TEST_F(StreamingRelayTest, AConnectedStandbyStreamsOnceThePrimaryHasSentSomething) {
  std::optional<Connection> standby;
  bool streamed = false;
  std::string here;
  // An idle primary has nothing to send. The background writer may write a record now and then.
  do {
    standby.reset();
    EXPECT_TRUE(soon([&] { return !relay->streams(); }));
    standby.emplace(connect_standby());
    standby->query("IDENTIFY_SYSTEM");
    here = position();
    standby->start_copy("START_REPLICATION " + here);
    streamed = soon([&] { return relay->streams(); }, milliseconds(500));
  } while (position() != here);
  EXPECT_FALSE(streamed);
  primary_cluster().execute("postgres", {"create table streamed ()", "drop table streamed"});
  EXPECT_TRUE(soon([&] { return relay->streams(); }));
  standby.reset();
  EXPECT_TRUE(soon([&] { return !relay->streams(); }));
}

}  // namespace
}  // namespace pgrehearse
