#include "harness/postgres/control_data.hpp"

#include <gtest/gtest.h>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

// pg_controldata of PostgreSQL 15 on a cluster in the middle of a base backup's recovery.
constexpr std::string_view in_recovery =
    R"(pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7710428306718581329
Database cluster state:               in archive recovery
pg_control last modified:             Sat Nov 21 01:19:46 2026
Latest checkpoint location:           2/17529B0
Latest checkpoint's REDO location:    2/1752978
Latest checkpoint's REDO WAL file:    000000030000000200000001
Latest checkpoint's TimeLineID:       3
Latest checkpoint's PrevTimeLineID:   2
Latest checkpoint's oldestCommitTsXid:0
Minimum recovery ending location:     2/5000028
Min recovery ending loc's timeline:   3
Backup start location:                2/1752978
Backup end location:                  0/0
End-of-backup record required:        no
wal_level setting:                    replica
max_connections setting:              250
max_worker_processes setting:         9
max_wal_senders setting:              11
max_prepared_xacts setting:           7
max_locks_per_xact setting:           65
Bytes per WAL segment:                67108864
Data page checksum version:           1
)";

std::string without_line(std::string_view name) {
  std::string text(in_recovery);
  const auto start = text.find(std::string(name) + ":");
  return text.erase(start, text.find('\n', start) + 1 - start);
}

TEST(ControlData, EveryFieldIsRead) {
  const auto control = parse_control_data(in_recovery);
  EXPECT_EQ(control.system_identifier, 7710428306718581329ULL);
  EXPECT_EQ(control.state, "in archive recovery");
  EXPECT_EQ(to_text(control.checkpoint_lsn), "2/17529B0");
  EXPECT_EQ(control.checkpoint_timeline, 3U);
  EXPECT_EQ(to_text(control.minimum_recovery_ending_lsn), "2/5000028");
  EXPECT_EQ(to_text(control.backup_start_lsn), "2/1752978");
  EXPECT_EQ(control.wal_segment_size, 64U << 20U);
  EXPECT_TRUE(control.data_checksums);
  EXPECT_EQ(control.max_connections, 250);
  EXPECT_EQ(control.max_worker_processes, 9);
  EXPECT_EQ(control.max_wal_senders, 11);
  EXPECT_EQ(control.max_prepared_transactions, 7);
  EXPECT_EQ(control.max_locks_per_transaction, 65);
}

TEST(ControlData, AMissingLineIsNamed) {
  try {
    parse_control_data(without_line("max_connections setting"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::repository);
    EXPECT_EQ(error.object(), "max_connections setting");
  }
}

TEST(ControlData, AnUnreadableValueIsNamed) {
  std::string text(in_recovery);
  text.replace(text.find("2/5000028"), 9, "2_5000028");
  try {
    parse_control_data(text);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.object(), "Minimum recovery ending location");
  }
}

TEST(ControlData, ReleasesBefore12HaveNoWalSendersSetting) {
  EXPECT_EQ(parse_control_data(without_line("max_wal_senders setting")).max_wal_senders, 0);
}

}  // namespace
}  // namespace pgrehearse
