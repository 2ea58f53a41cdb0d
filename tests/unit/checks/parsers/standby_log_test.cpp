// The lines are PostgreSQL 15's.
#include "checks/parsers/standby_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(StandbyLog, ErrorsOfTheReceiverAreNotThoseOfTheServer) {
  const auto log = parse_standby_log(
      {"2026-11-28 18:00:00.000 UTC [5] LOG:  started streaming WAL from primary at 0/5000000",
       "2026-11-28 18:00:00.001 UTC [5] FATAL:  could not receive data from WAL stream: ERROR:  "
       "requested WAL segment 000000010000000000000005 has already been removed",
       "2026-11-28 18:00:00.002 UTC [6] FATAL:  the database system is starting up",
       "2026-11-28 18:00:00.003 UTC [7] FATAL:  terminating walreceiver process due to "
       "administrator command",
       "2026-11-28 18:00:00.004 UTC [8] FATAL:  could not restore file \"0000000A\""});
  EXPECT_THAT(log.stream_errors,
              ElementsAre("could not receive data from WAL stream: ERROR:  requested WAL segment "
                          "000000010000000000000005 has already been removed"));
  EXPECT_THAT(log.fatal_errors, ElementsAre("could not restore file \"0000000A\""));
}

TEST(StandbyLog, AHealthyStandbyHasNoErrors) {
  const auto log = parse_standby_log(
      {"2026-11-28 18:00:00.000 UTC [5] LOG:  entering standby mode",
       "2026-11-28 18:00:00.000 UTC [5] LOG:  restored log file \"000000010000000000000005\""});
  EXPECT_THAT(log.stream_errors, IsEmpty());
  EXPECT_THAT(log.fatal_errors, IsEmpty());
}

TEST(StandbyLog, SomeErrorsAreFinal) {
  EXPECT_TRUE(
      is_final("ERROR:  requested WAL segment 000000010000000000000005 has already been "
               "removed"));
  EXPECT_TRUE(is_final("highest timeline 1 of the primary is behind recovery timeline 2"));
  EXPECT_TRUE(is_final("database system identifier differs between the primary and standby"));
  EXPECT_FALSE(
      is_final("could not connect to the primary server: FATAL:  sorry, too many clients"));
}

}  // namespace
}  // namespace pgrehearse
