// The lines are from Patroni 3.0.2 and PostgreSQL 15.
#include "checks/parsers/patroni_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PatroniLog, AFailedBootstrapHasAReason) {
  const auto log = parse_patroni_log(
      "2026-11-28 18:13:34,018 INFO: trying to bootstrap a new cluster\n"
      "2026-11-28 18:13:34.861 GMT [41] ERROR:  language \"plpgsql\" does not exist\n"
      "2026-11-28 18:13:34,861 ERROR: post_bootstrap\n"
      "Traceback (most recent call last):\n"
      "2026-11-28 18:13:34,866 INFO: removing initialize key after failed attempt to bootstrap "
      "the cluster\n");
  EXPECT_TRUE(log.began_bootstrap);
  EXPECT_TRUE(log.failed_bootstrap);
  EXPECT_THAT(log.errors,
              ElementsAre("ERROR:  language \"plpgsql\" does not exist", "ERROR: post_bootstrap"));
}

TEST(PatroniLog, FailedClonesAreCounted) {
  const auto log = parse_patroni_log(
      "WARNING:  checksum verification failed in file \"base/5/16384\", block 3\n"
      "pg_basebackup: error: checksum error occurred\n"
      "2026-11-28 18:14:34,861 ERROR: Error when fetching backup: pg_basebackup exited with "
      "code=1\n"
      "2026-11-28 18:14:35,861 WARNING: Trying again in 5 seconds\n"
      "pg_basebackup: error: checksum error occurred\n"
      "2026-11-28 18:14:40,861 ERROR: Error when fetching backup: pg_basebackup exited with "
      "code=1\n"
      "2026-11-28 18:14:40,871 ERROR: failed to bootstrap from leader 'member1'\n");
  EXPECT_EQ(log.failed_clones, 1);
  EXPECT_FALSE(log.failed_bootstrap);
  EXPECT_THAT(
      log.errors,
      ElementsAre("WARNING:  checksum verification failed in file \"base/5/16384\", block 3",
                  "pg_basebackup: error: checksum error occurred",
                  "ERROR: Error when fetching backup: pg_basebackup exited with code=1",
                  "ERROR: failed to bootstrap from leader 'member1'"));
}

TEST(PatroniLog, AHealthyStartHasNoErrors) {
  const auto log = parse_patroni_log(
      "2026-11-28 18:12:20,909 ERROR: Request to server http://127.0.0.1:2379 failed: x\n"
      "2026-11-28 18:12:20,910 ERROR: Failed to get list of machines from http://127.0.0.1:2379\n"
      "2026-11-28 18:12:21.100 UTC [9] FATAL:  the database system is starting up\n"
      "2026-11-28 18:12:22,018 INFO: trying to bootstrap a new cluster\n");
  EXPECT_THAT(log.errors, IsEmpty());
  EXPECT_TRUE(log.began_bootstrap);
}

}  // namespace
}  // namespace pgrehearse
