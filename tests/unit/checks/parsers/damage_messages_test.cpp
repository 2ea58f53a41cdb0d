#include "checks/parsers/damage_messages.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(DamageMessages, AreRecognized) {
  for (const auto* message : {
           "ERROR:  invalid page in block 7 of relation base/5/16464",
           "FATAL:  could not open file \"base/16384/1249\": No such file or directory",
           "ERROR:  could not open file \"pg_xact/0000\": No such file or directory",
           "ERROR:  could not read block 3 in file \"base/5/1\": read only 0 of 8192 bytes",
           "WARNING:  page verification failed, calculated checksum 32786 but expected 28241",
           "ERROR:  missing chunk number 0 for toast value 16414 in pg_toast_16407",
           "PANIC:  WAL contains references to invalid pages",
           "ERROR:  could not access status of transaction 999999",
       }) {
    EXPECT_TRUE(tells_of_damage(message)) << message;
  }
}

TEST(DamageMessages, DoNotMatchOrdinaryErrors) {
  for (const auto* message : {
           "FATAL:  the database system is starting up",
           "LOG:  invalid record length at 0/7000060: wanted 24, got 0",
           "ERROR:  could not open file \"/etc/ssl/key\": No such file or directory",
           "ERROR:  relation \"orders\" does not exist",
           "LOG:  restored log file \"000000010000000000000007\" from archive",
           "ERROR:  out of memory",
           "LOG:  unexpected pageaddr 0/5000000 in log segment 000000010000000000000007, offset 0",
       }) {
    EXPECT_FALSE(tells_of_damage(message)) << message;
    EXPECT_FALSE(tells_of_damaged_wal(message)) << message;
  }
}

TEST(DamageMessages, IncludeDamagedWal) {
  EXPECT_TRUE(tells_of_damaged_wal(
      "LOG:  incorrect resource manager data checksum in record at 0/5000028"));
  EXPECT_TRUE(tells_of_damaged_wal(
      "FATAL:  archive file \"000000010000000000000005\" has wrong size: 12 instead of 16777216"));
  EXPECT_FALSE(tells_of_damage("incorrect resource manager data checksum in record at 0/5000028"));
}

}  // namespace
}  // namespace pgrehearse
