#include "harness/primary/streaming_relay.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(StreamingRelay, PassesOnWhatAStandbySends) {
  for (const auto* command :
       {"IDENTIFY_SYSTEM", "TIMELINE_HISTORY 2", "START_REPLICATION 0/5000000 TIMELINE 1",
        "START_REPLICATION PHYSICAL 1A/FF000000", "START_REPLICATION 0/5000000 TIMELINE 12"}) {
    EXPECT_TRUE(is_relayed(command)) << command;
  }
}

TEST(StreamingRelay, RefusesEverythingElse) {
  for (const auto* command :
       {"START_REPLICATION SLOT \"x\" 0/5000000", "START_REPLICATION SLOT x LOGICAL 0/0",
        "CREATE_REPLICATION_SLOT x TEMPORARY PHYSICAL", "DROP_REPLICATION_SLOT x", "BASE_BACKUP",
        "select pg_switch_wal()", "IDENTIFY_SYSTEM; select 1", "TIMELINE_HISTORY 2; BASE_BACKUP",
        "SHOW data_directory", "", "READ_REPLICATION_SLOT x"}) {
    EXPECT_FALSE(is_relayed(command)) << command;
  }
}

}  // namespace
}  // namespace pgrehearse
