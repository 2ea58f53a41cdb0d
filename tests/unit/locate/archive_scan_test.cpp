#include "harness/locate/archive_scan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_command_runner.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Script = ScriptedCommandRunner;

constexpr auto megabytes = std::uint64_t{1} << 20U;

class ArchiveScan : public testing::Test {
 protected:
  ArchiveScan() {
    lineage_.segment_size = 16 * megabytes;
    lineage_.timeline = 1;
    runner_.on({"rm"}, Script::success());
    runner_.on_call({"archive-get"}, [this](const Command& command) {
      const auto& name = command.arguments.front();
      if (every_other_fetch_fails_ && ++fetches_ % 2 == 1) return Script::failure(55, "");
      return name == absent_ ? Script::failure(1, "") : Script::success();
    });
    runner_.on_call({"pg_waldump"}, [this](const Command& command) {
      const auto& first = *(command.arguments.end() - 2);
      if (first == damaged_) return Script::failure(1, "pg_waldump: fatal: could not read WAL");
      return Script::success(fmt::format(
          "rmgr: Transaction len (rec/tot):     34/    34, tx: {:>10}, lsn: 0/{}000028, prev "
          "0/01539F18, desc: COMMIT 2026-11-28 14:05:11.123456 UTC",
          ++xid_, first.substr(22)));
    });
  }

  void archive(std::uint64_t first, std::uint64_t last) {
    lineage_.required = {{.timeline = 1, .first = first, .last = last}};
  }
  ScanOutcome scan(int workers = 2, std::size_t most = 1000) {
    const ScanRequest request{.sandbox = sandbox_,
                              .repository = repository_,
                              .backup = repository_.backups.front(),
                              .lineage = lineage_,
                              .begin = Lsn{2 * 16 * megabytes},
                              .managers = {"Transaction"},
                              .workers = workers};
    return scan_archive(request,
                        [&](const WalChunk&) {
                          ++taken_;
                          return taken_ < most;
                        },
                        {});
  }
  // The first and the last segment that each pg_waldump reads, without what all have in common.
  std::vector<std::string> dumped() {
    std::vector<std::string> ranges;
    for (const auto& command : runner_.commands()) {
      if (!command.program.ends_with("pg_waldump")) continue;
      const auto end = command.arguments.end();
      ranges.push_back((end - 2)->substr(22) + "-" + (end - 1)->substr(22));
    }
    return ranges;
  }

  ScriptedCommandRunner runner_;
  ScriptedSandbox sandbox_{runner_};
  CallRecord calls_;
  FakeRepository repository_{calls_};
  WalLineage lineage_;
  std::string absent_;
  std::string damaged_;
  bool every_other_fetch_fails_ = false;
  int fetches_ = 0;
  int xid_ = 700;
  std::size_t taken_ = 0;
};

TEST_F(ArchiveScan, FewSegmentsAreDividedAmongTheWorkersAndRemain) {
  archive(2, 5);
  const auto outcome = scan();
  EXPECT_EQ(outcome.segments, 4U);
  EXPECT_EQ(outcome.commits, 2U);
  EXPECT_THAT(dumped(), UnorderedElementsAre("02-04", "04-05"));
  EXPECT_THAT(outcome.remaining,
              UnorderedElementsAre("000000010000000000000002", "000000010000000000000003",
                                   "000000010000000000000004", "000000010000000000000005"));
}

TEST_F(ArchiveScan, ALongRangeIsReadInPartsAndLeavesNothing) {
  archive(2, 41);
  const auto outcome = scan();
  EXPECT_EQ(outcome.segments, 40U);
  EXPECT_EQ(taken_, 8U);
  EXPECT_THAT(outcome.remaining, IsEmpty());
}

TEST_F(ArchiveScan, WithoutPrefetchAlsoALongRangeLeavesNothing) {
  every_other_fetch_fails_ = true;
  archive(2, 41);
  EXPECT_THAT(scan().remaining, IsEmpty());
  EXPECT_EQ(fetches_, 80);
}

TEST_F(ArchiveScan, NoMoreIsReadThanTheCallerNeeds) {
  archive(2, 201);
  scan(2, 1);
  EXPECT_EQ(taken_, 1U);
  EXPECT_LT(dumped().size(), 10U) << "of 25 parts";
}

TEST_F(ArchiveScan, ADamagedPartEndsTheScanAfterThePartsBeforeIt) {
  archive(2, 201);
  damaged_ = "00000001000000000000000A";
  const auto error = error_of([&] { scan(); });
  EXPECT_EQ(error.code(), FindingCode::wal_damaged);
  EXPECT_EQ(error.object(), damaged_);
  EXPECT_EQ(taken_, 1U);
}

TEST_F(ArchiveScan, AnAbsentFirstSegmentEndsThePartBeforeToo) {
  archive(2, 5);
  absent_ = "000000010000000000000004";
  EXPECT_THAT(error_of([&] { scan(); }).what(), HasSubstr("listed but not in the archive"));
  EXPECT_EQ(taken_, 0U) << "its last record may end in the absent segment";
}

TEST_F(ArchiveScan, AnotherAbsentSegmentEndsItsOwnPart) {
  archive(2, 5);
  absent_ = "000000010000000000000005";
  EXPECT_THAT(error_of([&] { scan(); }).what(), HasSubstr(absent_));
  EXPECT_EQ(taken_, 1U);
}

TEST_F(ArchiveScan, OneWorkerReadsAFewSegmentsAtOnce) {
  archive(2, 4);
  scan(1);
  EXPECT_THAT(dumped(), ElementsAre("02-04"));
}

}  // namespace
}  // namespace pgrehearse
