#include "harness/repository/pgbackrest/pgbackrest_restore.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/common/error.hpp"
#include "tests/fakes/scripted_command_runner.hpp"
#include "tests/fakes/scripted_sandbox.hpp"

namespace pgrehearse {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> options_for(const RecoveryTarget& target, int major = 15) {
  ScriptedCommandRunner runner;
  const ScriptedSandbox sandbox(runner);
  return restore_options({.label = "L", .postgres_major = major}, target, sandbox.paths(), 2);
}

TEST(PgBackRestRestore, MapsEveryTarget) {
  EXPECT_THAT(options_for({}),
              AllOf(Contains("--type=standby"), Contains("--target-timeline=latest"),
                    Not(Contains("--target-action=pause"))));
  EXPECT_THAT(options_for({.type = TargetType::immediate}),
              AllOf(Contains("--type=immediate"), Contains("--target-action=pause"),
                    Not(Contains("--target-timeline=latest"))));
  EXPECT_THAT(options_for({.type = TargetType::time,
                           .time = parse_instant("2026-11-20 03:00:00.5+00"),
                           .exclusive = true,
                           .timeline = "7"}),
              AllOf(Contains("--type=time"), Contains("--target=2026-11-20 03:00:00.500000+00"),
                    Contains("--target-exclusive"), Contains("--target-timeline=7")));
  EXPECT_THAT(options_for({.type = TargetType::lsn, .lsn = parse_lsn("0/5000028")}),
              AllOf(Contains("--type=lsn"), Contains("--target=0/5000028"),
                    Not(Contains("--target-exclusive"))));
  EXPECT_THAT(options_for({.type = TargetType::xid, .xid = 743}), Contains("--target=743"));
}

TEST(PgBackRestRestore, EscapesTheNameThatPgBackRestWritesUnquoted) {
  EXPECT_THAT(options_for({.type = TargetType::name, .name = "it's a\\b"}),
              Contains(R"(--target=it''s a\\b)"));
}

TEST(PgBackRestRestore, OmitsSettingsUnknownToOldServers) {
  EXPECT_THAT(options_for({}, 11), Not(Contains("--archive-mode=off")));
  EXPECT_THAT(options_for({.timeline = "current"}, 11), Not(Contains("--target-timeline=current")));
  EXPECT_THAT(options_for({.timeline = "current"}, 12), Contains("--target-timeline=current"));
}

TEST(PgBackRestRestore, DisablesOptionsThatWriteOutsideTheSandbox) {
  EXPECT_THAT(options_for({}),
              AllOf(Contains("--no-link-all"), Contains("--reset-link-map"),
                    Contains("--reset-tablespace-map"), Contains("--no-delta"),
                    Contains("--reset-recovery-option"), Contains("--reset-db-include"),
                    Contains("--reset-db-exclude"), Contains("--reset-pg1-host")));
}

TEST(PgBackRestRestore, NamesTheBackupAndTheDirectoriesOfTheSandbox) {
  EXPECT_THAT(options_for({}), AllOf(Contains("--set=L"), Contains("--pg1-path=/sandbox/data"),
                                     Contains("--tablespace-map-all=/sandbox/tablespaces")));
}

TEST(PgBackRestRestore, UsesAtLeastOneProcess) {
  ScriptedCommandRunner runner;
  const ScriptedSandbox sandbox(runner);
  const auto processes = [&](int count) { return restore_options({}, {}, sandbox.paths(), count); };
  EXPECT_THAT(processes(4), Contains("--process-max=4"));
  EXPECT_THAT(processes(0), Contains("--process-max=1"));
}

TEST(PgBackRestRestore, PausesAtEveryTargetExceptTheEndOfTheArchive) {
  for (const auto type : {TargetType::immediate, TargetType::name}) {
    EXPECT_THAT(options_for({.type = type}), Contains("--target-action=pause"));
  }
  EXPECT_THAT(options_for({}), Not(Contains(HasSubstr("--target-action"))));
  EXPECT_THAT(options_for({}), Not(Contains(HasSubstr("--target="))));
}

TEST(PgBackRestRestore, IsExclusiveOnlyWherePgBackRestAllowsIt) {
  EXPECT_THAT(options_for({.type = TargetType::xid, .xid = 7, .exclusive = true}),
              Contains("--target-exclusive"));
  for (const auto type : {TargetType::latest, TargetType::immediate, TargetType::name}) {
    EXPECT_THAT(options_for({.type = type, .exclusive = true}),
                Not(Contains("--target-exclusive")));
  }
}

TEST(PgBackRestRestore, ATargetWithoutItsValueIsABug) {
  for (const auto type : {TargetType::time, TargetType::lsn, TargetType::xid}) {
    try {
      options_for({.type = type});
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::internal);
    }
  }
}

TEST(PgBackRestRestore, ProgressStaysBetweenNothingAndAll) {
  EXPECT_EQ(parse_restore_progress("restore file /d/x (0B, 100.01%)"), 1.0);
  EXPECT_EQ(parse_restore_progress("restore file /d/x (0B, -1%)"), 0.0);
  EXPECT_EQ(parse_restore_progress("restore file /d/x (0B, %)"), std::nullopt);
  EXPECT_EQ(parse_restore_progress("restore file /d/x (0B, 1e%)"), std::nullopt);
  EXPECT_EQ(parse_restore_progress("restore file /d/x"), std::nullopt);
}

// A file's name may look like the progress after it.
TEST(PgBackRestRestore, ProgressIsReadFromTheEndOfTheLine) {
  EXPECT_EQ(parse_restore_progress("restore file /d/a, 3%) (8KB, 50%)"), 0.5);
}

TEST(PgBackRestRestore, ReadsProgress) {
  EXPECT_EQ(parse_restore_progress("P02 DETAIL: restore file /d/base/1/13409 (0B, 94.73%)"),
            0.9473);
  EXPECT_EQ(
      parse_restore_progress("P01 DETAIL: restore file /d/x (bundle 1/0, 8KB, 12.5%) checksum aa"),
      0.125);
  EXPECT_EQ(parse_restore_progress("P01 DETAIL: restore zeroed file /d/x (8KB, 100.00%)"), 1.0);
  EXPECT_EQ(parse_restore_progress("P00 DETAIL: create path '/d (1, 50%)'"), std::nullopt);
  EXPECT_EQ(parse_restore_progress("P00   INFO: restore size = 24.8MB, file total = 970"),
            std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
