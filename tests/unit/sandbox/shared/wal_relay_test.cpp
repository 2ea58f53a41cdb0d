#include "harness/sandbox/shared/wal_relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/process/boost_command_runner.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class WalRelayTest : public testing::Test {
 protected:
  WalRelayTest() {
    std::string pattern = testing::TempDir() + "pgr-relay-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    relay_ = std::make_unique<WalRelay>(current_account(), directory_,
                                        [this](const Command& command, const std::stop_token&) {
                                          ran_.push_back(command);
                                          return answer_;
                                        });
  }
  ~WalRelayTest() override {
    relay_.reset();
    fs::remove_all(directory_);
  }

  static CommandResult ask(std::vector<std::string> client, const std::string& file,
                           const std::string& destination = "pg_wal/RECOVERYXLOG") {
    client.insert(client.end(), {file, destination});
    return BoostCommandRunner().run({.program = client.front(),
                                     .arguments = {client.begin() + 1, client.end()},
                                     .timeout = std::chrono::seconds(20)},
                                    {});
  }

  fs::path directory_;
  std::vector<Command> ran_;
  CommandResult answer_;
  std::unique_ptr<WalRelay> relay_;
};

TEST_F(WalRelayTest, RunsTheCommandOutsideAndPassesOnItsResult) {
  const auto single =
      relay_->client_of({.archive_get = {"archive-get", "--single"}, .data = "/data"});
  const auto ahead =
      relay_->client_of({.archive_get = {"archive-get", "--ahead"}, .data = "/data"});
  for (const int code : {0, 1, 82, 103}) {
    answer_ = {.exit_code = code, .error_output = "ERROR: [103]: no\n  hint\n"};
    const auto result = ask(code == 82 ? ahead : single, "00000001000000000000000A");
    EXPECT_EQ(result.exit_code, code);
    EXPECT_EQ(result.error_output, "ERROR: [103]: no\n  hint\n");
  }
  ASSERT_EQ(ran_.size(), 4U);
  EXPECT_EQ(ran_[2].program, "archive-get");
  EXPECT_THAT(ran_[2].arguments,
              ElementsAre("--ahead", "00000001000000000000000A", "/data/pg_wal/RECOVERYXLOG"));
}

// PostgreSQL takes exit code 1 for the end of the archive.
TEST_F(WalRelayTest, ACommandThatWasKilledIsAFailure) {
  answer_ = {.exit_code = -1, .signal = 9};
  EXPECT_EQ(
      ask(relay_->client_of({.archive_get = {"archive-get"}, .data = "/data"}), "00000002.history")
          .exit_code,
      126);
}

TEST_F(WalRelayTest, AKeptCopyHasNoMoreWal) {
  const auto client = relay_->client_of({.archive_get = {"archive-get"}, .data = "/data"});
  relay_.reset();
  EXPECT_EQ(ask(client, "00000001000000000000000A").exit_code, 1);
  EXPECT_TRUE(ran_.empty());
}

TEST(WalRelayRequests, OnlyWalFilesInPgWal) {
  const auto request =
      parse_wal_relay_request("1 4711 00000001000000000000000A pg_wal/RECOVERYXLOG");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, 1U);
  EXPECT_EQ(request->client, "4711");
  for (const auto* line :
       {"", "1 4711 00000001000000000000000A", "x 4711 0000 pg_wal/RECOVERYXLOG",
        "1 4711 ../0000 pg_wal/RECOVERYXLOG", "1 4711 --config=/x pg_wal/RECOVERYXLOG",
        "1 4711 0000 /etc/passwd", "1 4711 0000 pg_wal/../../x", "1 4711 0000 pg_wal/.x",
        "1 4711 0000 base/1/1259", "-1 4711 0000 pg_wal/X", "1 4711 0000 pg_wal/X more"}) {
    EXPECT_FALSE(parse_wal_relay_request(line)) << line;
  }
}

}  // namespace
}  // namespace pgrehearse
