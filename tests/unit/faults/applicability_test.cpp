#include "harness/faults/applicability.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/faults/damage/damage.hpp"
#include "harness/faults/fault_parser.hpp"
#include "harness/faults/fault_testbed.hpp"
#include "scenarios/embedded.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Applicability : public testing::Test {
 protected:
  static Fault shipped(const std::string& name) {
    for (const auto& file : embedded::fault_files()) {
      if (file.name == name + ".yaml") {
        return parse_fault(std::string(file.text), std::string(file.name));
      }
    }
    throw std::runtime_error("no fault " + name);
  }
  [[nodiscard]] std::string reason(const std::string& name) const {
    return why_not_applicable(shipped(name), repository, drill);
  }

  RepositoryTraits repository{.stanza = "shop",
                              .chain = {"20261121-030000F", "20261121-030000F_20261121-040000I"},
                              .segment_size = std::uint64_t{16} << 20U};
  DrillTraits drill{.root = true};
};

TEST_F(Applicability, FaultsThatDamageAPrimaryDoNotApply) {
  for (const auto& file : embedded::fault_files()) {
    const auto fault = parse_fault(std::string(file.text), std::string(file.name));
    if (!needs_own_primary(fault)) continue;
    EXPECT_THAT(why_not_applicable(fault, repository, drill), HasSubstr("primary")) << fault.name;
  }
}

TEST_F(Applicability, RepositoryDamageApplies) {
  for (const auto* name :
       {"wal-segment-missing", "backup-file-flipped", "manifest-lost",
        "timeline-branches-before-backup", "restore-killed", "stanza-misspelled",
        "full-backup-removed", "disk-full-during-replay", "wal-of-another-cluster"}) {
    EXPECT_THAT(reason(name), IsEmpty()) << name;
  }
}

TEST_F(Applicability, DrillsOfACopyDoNotContactThePrimary) {
  EXPECT_THAT(reason("primary-unreachable"), HasSubstr("do not contact the primary"));
}

TEST_F(Applicability, EncryptedAndPlainRepositoriesDiffer) {
  EXPECT_THAT(reason("wrong-passphrase"), HasSubstr("not encrypted"));
  repository.encrypted = true;
  EXPECT_THAT(reason("wrong-passphrase"), IsEmpty());
  EXPECT_THAT(reason("timeline-from-promoted-copy"), HasSubstr("encrypted"));
}

TEST_F(Applicability, FullBackupWithoutDependentsCannotLoseItsFull) {
  repository.chain = {"20261121-030000F"};
  EXPECT_THAT(reason("full-backup-removed"), HasSubstr("full backup"));
  EXPECT_THAT(reason("newest-backup-removed"), IsEmpty());
}

TEST_F(Applicability, TimelineFaultsNeedATimelineSwitch) {
  EXPECT_THAT(reason("history-missing"), HasSubstr("timeline switch"));
  drill.switches_timeline = true;
  EXPECT_THAT(reason("history-missing"), IsEmpty());
  drill.follows_timelines = false;
  EXPECT_THAT(reason("timeline-from-promoted-copy"), HasSubstr("latest timeline"));
}

TEST_F(Applicability, BinaryFaultsDoNotApplyToContainers) {
  drill.local = false;
  for (const auto* name : {"restore-killed", "postgres-binaries-missing", "disk-too-small"}) {
    EXPECT_THAT(reason(name), HasSubstr("container")) << name;
  }
  EXPECT_THAT(reason("wal-segment-missing"), IsEmpty());
}

TEST_F(Applicability, DiskFullNeedsASmallCluster) {
  drill.minimum_disk = {std::uint64_t{2} << 30U};
  EXPECT_THAT(reason("disk-full-during-restore"), HasSubstr("1 GB"));
  EXPECT_THAT(reason("disk-too-small"), IsEmpty());
  drill.root = false;
  EXPECT_THAT(reason("disk-too-small"), HasSubstr("root"));
}

}  // namespace
}  // namespace pgrehearse
