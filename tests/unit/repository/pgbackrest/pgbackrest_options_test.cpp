#include "harness/repository/pgbackrest/pgbackrest_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::Not;

std::vector<std::string> options_of(PgBackRestCommand command) {
  return pgbackrest_options(command, {.stanza = "orders", .configuration = "/etc/x.conf"}, 2,
                            "/own");
}

constexpr PgBackRestCommand commands[] = {
    PgBackRestCommand::archive_get, PgBackRestCommand::archive_get_ahead,
    PgBackRestCommand::info,        PgBackRestCommand::repo_get,
    PgBackRestCommand::repo_ls,     PgBackRestCommand::restore,
    PgBackRestCommand::verify};

TEST(PgBackRestOptions, EveryCallNamesItsRepositoryAndPrivatePaths) {
  for (const auto command : commands) {
    const auto options = options_of(command);
    SCOPED_TRACE(name_of(command));
    for (const auto* option : {"--config=/etc/x.conf", "--stanza=orders", "--repo=2",
                               "--log-path=/own/log", "--no-log-subprocess"}) {
      EXPECT_THAT(options, Contains(option));
    }
    for (const auto* level : {"--log-level-file=", "--log-level-console=", "--log-level-stderr="}) {
      EXPECT_THAT(options, Contains(testing::StartsWith(level)));
    }
  }
}

TEST(PgBackRestOptions, CommandsThatLockOrSpoolDoSoInPrivate) {
  for (const auto command : {PgBackRestCommand::archive_get, PgBackRestCommand::archive_get_ahead,
                             PgBackRestCommand::info, PgBackRestCommand::restore}) {
    EXPECT_THAT(options_of(command), Contains("--lock-path=/own/lock"));
  }
  // A restore empties the stanza's spool directory.
  for (const auto command : {PgBackRestCommand::restore, PgBackRestCommand::archive_get_ahead}) {
    EXPECT_THAT(options_of(command), Contains("--spool-path=/own/spool"));
  }
  EXPECT_THAT(options_of(PgBackRestCommand::archive_get), Contains("--no-archive-async"));
}

TEST(PgBackRestOptions, TheQueueOfProductionDoesNotFillTheSandbox) {
  EXPECT_THAT(options_of(PgBackRestCommand::archive_get_ahead),
              Contains("--archive-get-queue-max=128MiB"));
}

TEST(PgBackRestOptions, NoStanzaWithoutAName) {
  EXPECT_THAT(pgbackrest_options(PgBackRestCommand::info, {}, {}, "/own"),
              Not(Contains(testing::StartsWith("--stanza"))));
}

}  // namespace
}  // namespace pgrehearse
