#include "harness/faults/tool_applicability.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/faults/fault_parser.hpp"
#include "scenarios/embedded.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string reason(const std::string& name, BackupTool tool) {
  for (const auto& file : embedded::fault_files()) {
    if (file.name != name + ".yaml") continue;
    return why_not_applicable(parse_fault(std::string(file.text), name), tool);
  }
  throw std::runtime_error("no fault " + name);
}

TEST(ToolApplicability, EveryFaultAppliesToPgBackRest) {
  for (const auto& file : embedded::fault_files()) {
    const auto fault = parse_fault(std::string(file.text), std::string(file.name));
    EXPECT_THAT(why_not_applicable(fault, BackupTool::pgbackrest), IsEmpty()) << fault.name;
  }
}

TEST(ToolApplicability, DamageToDataBackupsAndArchivesAppliesToEveryTool) {
  for (const auto tool : {BackupTool::basebackup, BackupTool::barman}) {
    for (const auto* name :
         {"heap-page-bit-flip", "table-dropped", "setting-differs", "backup-file-lost",
          "manifest-damaged", "backup-info-lost", "wal-segment-missing", "history-missing",
          "archive-command-discards-wal", "stanza-of-another-cluster", "target-name-unknown"}) {
      EXPECT_THAT(reason(name, tool), IsEmpty()) << name << ", " << name_of(tool);
    }
  }
}

TEST(ToolApplicability, OptionsAndFilesOfPgBackRestDoNotApply) {
  for (const auto tool : {BackupTool::basebackup, BackupTool::barman}) {
    EXPECT_THAT(reason("wrong-passphrase", tool), HasSubstr("encrypt"));
    EXPECT_THAT(reason("archive-info-lost", tool), HasSubstr("no metadata file"));
    EXPECT_THAT(reason("manifest-main-lost", tool), HasSubstr("one copy"));
    EXPECT_THAT(reason("full-backup-removed", tool), HasSubstr("depends on another"));
    EXPECT_THAT(reason("wal-segment-duplicated", tool), HasSubstr("one file per segment"));
  }
}

TEST(ToolApplicability, CallsOfAToolNeedSuchACall) {
  EXPECT_THAT(reason("restore-killed", BackupTool::barman), IsEmpty());
  EXPECT_THAT(reason("restore-killed", BackupTool::basebackup), HasSubstr("copies files"));
  EXPECT_THAT(reason("archive-get-hangs", BackupTool::basebackup), IsEmpty());
  EXPECT_THAT(reason("archive-get-hangs", BackupTool::barman), HasSubstr("not called for WAL"));
  EXPECT_THAT(reason("newest-backup-removed", BackupTool::barman), IsEmpty());
  EXPECT_THAT(reason("newest-backup-removed", BackupTool::basebackup), HasSubstr("directory"));
  EXPECT_THAT(reason("stanza-misspelled", BackupTool::barman), IsEmpty());
  EXPECT_THAT(reason("stanza-misspelled", BackupTool::basebackup), HasSubstr("stanza"));
}

TEST(ToolApplicability, AFaultMayExpectAnotherFindingWithAnotherTool) {
  for (const auto& file : embedded::fault_files()) {
    const auto fault = parse_fault(std::string(file.text), std::string(file.name));
    for (const auto& [tool, expect] : fault.expect_with) {
      EXPECT_THAT(why_not_applicable(fault, tool), IsEmpty()) << fault.name;
    }
    if (fault.name != "backup-info-lost") continue;
    ASSERT_TRUE(fault.expect_with.contains(BackupTool::barman));
    EXPECT_EQ(fault.expect_with.at(BackupTool::barman).codes.front(),
              FindingCode::repo_file_missing);
  }
}

}  // namespace
}  // namespace pgrehearse
