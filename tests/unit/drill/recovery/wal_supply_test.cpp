#include "harness/drill/recovery/wal_supply.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/process/boost_command_runner.hpp"

namespace pgrehearse {
namespace {

// The wrapper as PostgreSQL's shell runs it, around a command that ends with a stated code.
class ArchiveGetWrapper : public testing::Test {
 protected:
  ArchiveGetWrapper() {
    auto pattern = testing::TempDir() + "pgr-it's-XXXXXX";
    root_ = mkdtemp(pattern.data());
    files_ = {.requests = root_ / "requests",
              .closed = root_ / "closed",
              .limit = root_ / "limit",
              .given = root_ / "given",
              .whole = root_ / "whole",
              .absent = root_ / "absent"};
  }
  ~ArchiveGetWrapper() override { std::filesystem::remove_all(root_); }

  // `single`: what a direct request does; the same as `ahead` by default.
  int exit_code_when(const std::string& ahead, const std::string& file = "SEGMENT",
                     const std::string& single = "") {
    std::ofstream(root_ / "wrapper") << archive_get_wrapper(
        {.ahead = {"sh", "-c", ahead}, .single = {"sh", "-c", single.empty() ? ahead : single}},
        files_);
    BoostCommandRunner runner;
    return runner
        .run({.program = "/bin/sh", .arguments = {root_ / "wrapper", file, root_ / "got"}}, {})
        .exit_code;
  }
  std::string got() const {
    std::ostringstream text;
    text << std::ifstream(root_ / "got", std::ios::binary).rdbuf();
    return text.str();
  }
  std::string requests() const {
    std::ostringstream text;
    text << std::ifstream(root_ / "requests").rdbuf();
    return text.str();
  }

  std::filesystem::path root_;
  WalSupplyFiles files_;
};

// `sh -c command file destination`: $0 is the segment, $1 where to put it.
constexpr auto give_ones = "printf 11111111 > \"$1\"";

TEST_F(ArchiveGetWrapper, TheSegmentIsTruncatedOnceAtTheLimitAndLaterOnesAreWithheld) {
  std::ofstream(files_.limit) << "0000000000000007 3 8\n";
  EXPECT_EQ(exit_code_when(give_ones, "000000020000000000000006"), 0);
  EXPECT_EQ(got(), "11111111");
  EXPECT_EQ(exit_code_when(give_ones, "000000020000000000000007"), 0);
  EXPECT_EQ(got(), std::string("111\0\0\0\0\0", 8));
  EXPECT_EQ(exit_code_when(give_ones, "000000020000000000000007"), 1);
  EXPECT_EQ(exit_code_when(give_ones, "000000010000000000000008"), 1);
  EXPECT_EQ(exit_code_when(give_ones, "00000003.history"), 0);
  EXPECT_EQ(requests(),
            "000000020000000000000006 0\n000000020000000000000007 0\n00000003.history 0\n");
}

TEST_F(ArchiveGetWrapper, TheSegmentIsProvidedAgainWhenTheLimitMoves) {
  std::ofstream(files_.limit) << "0000000000000007 3 8\n";
  EXPECT_EQ(exit_code_when(give_ones, "000000010000000000000007"), 0);
  std::ofstream(files_.limit) << "0000000000000007 5 8\n";
  EXPECT_EQ(exit_code_when(give_ones, "000000010000000000000007"), 0);
  EXPECT_EQ(got(), std::string("11111\0\0\0", 8));
  std::ofstream(files_.limit).flush();
  EXPECT_EQ(exit_code_when(give_ones, "000000010000000000000007"), 0);
  EXPECT_EQ(got(), "11111111");
}

// Each fetch starts a process of the backup tool: ten positions in one segment need one.
TEST_F(ArchiveGetWrapper, ASegmentIsFetchedOnceForAllPositionsInIt) {
  constexpr auto segment = "000000010000000000000007";
  std::ofstream(files_.limit) << "0000000000000007 3 8\n";
  EXPECT_EQ(exit_code_when(give_ones, segment), 0);
  std::ofstream(files_.limit) << "0000000000000007 5 8\n";
  EXPECT_EQ(exit_code_when("exit 103", segment), 0);
  EXPECT_EQ(got(), std::string("11111\0\0\0", 8));
  EXPECT_EQ(exit_code_when("exit 103", segment), 1) << "no WAL after the position";
  std::ofstream(files_.limit).flush();
  EXPECT_EQ(exit_code_when("exit 103", segment), 0);
  EXPECT_EQ(got(), "11111111");
  EXPECT_EQ(exit_code_when("exit 103", segment), 126) << "a segment that is read again is fetched";
}

TEST_F(ArchiveGetWrapper, SegmentsThatWereFetchedBeforeAreProvidedWithoutTheRepository) {
  const std::string before = "000000010000000000000006";
  const std::string limited = "000000010000000000000007";
  for (const auto& segment : {before, limited}) {
    std::ofstream(files_.whole.native() + "." + segment) << "22222222";
  }
  std::ofstream(files_.limit) << "0000000000000007 3 8\n";
  EXPECT_EQ(exit_code_when("exit 103", before), 0);
  EXPECT_EQ(got(), "22222222");
  EXPECT_EQ(exit_code_when("exit 103", limited), 0);
  EXPECT_EQ(got(), std::string("222\0\0\0\0\0", 8));
  EXPECT_EQ(exit_code_when(give_ones, before), 0);
  EXPECT_EQ(got(), "11111111") << "read again: the repository decides";
  EXPECT_EQ(exit_code_when("exit 103", "000000020000000000000006"), 126) << "another timeline";
  EXPECT_EQ(requests(),
            before + " 0\n" + limited + " 0\n" + before + " 0\n000000020000000000000006 103\n");
}

TEST_F(ArchiveGetWrapper, NewTimelinesAreLookedForUntilTheWalBeforeThePositionIsThere) {
  std::ofstream(files_.limit) << "0000000000000007 3 8\n";
  EXPECT_EQ(exit_code_when("exit 1", "00000002.history"), 1);
  EXPECT_EQ(exit_code_when("exit 0", "00000002.history"), 0);
  EXPECT_EQ(exit_code_when(give_ones, "000000010000000000000007"), 0);
  EXPECT_EQ(exit_code_when("exit 0", "00000002.history"), 1);
  EXPECT_EQ(exit_code_when("exit 0", "00000003.history"), 0) << "was not missed before";
  std::ofstream(files_.limit) << "0000000000000008 3 8\n";
  EXPECT_EQ(exit_code_when("exit 0", "00000002.history"), 0);
}

TEST(WalLimit, NamesTheSegmentWithoutItsTimeline) {
  EXPECT_EQ(wal_limit(*parse_lsn("2/7000028"), 16 << 20), "0000000200000007 40 16777216\n");
}

TEST(IsAt, AllowsForAPageHeaderInBetween) {
  EXPECT_TRUE(is_at({5000}, {5000}));
  EXPECT_FALSE(is_at({4992}, {5000}));
  EXPECT_TRUE(is_at({8192}, {8192 + 24}));
  EXPECT_TRUE(is_at({8192}, {8192 + 40}));
  EXPECT_FALSE(is_at({8192}, {8192 + 48}));
  EXPECT_FALSE(is_at({8200}, {8192 + 24}));
}

TEST_F(ArchiveGetWrapper, FoundAndNotFoundArePassedOn) {
  EXPECT_EQ(exit_code_when("exit 0"), 0);
  EXPECT_EQ(exit_code_when("exit 1"), 1);
  EXPECT_EQ(requests(), "SEGMENT 0\nSEGMENT 1\n");
}

TEST_F(ArchiveGetWrapper, RepositoryFailureIsNotReportedAsEndOfArchive) {
  EXPECT_EQ(exit_code_when("exit 2"), 126);
  EXPECT_EQ(exit_code_when("exit 103"), 126);
  EXPECT_EQ(exit_code_when("kill -KILL $$"), 126);
  EXPECT_EQ(requests(), "SEGMENT 2\nSEGMENT 103\nSEGMENT 137\n");
}

TEST_F(ArchiveGetWrapper, PrefetchFailureIsNotReportedAsRepositoryFailure) {
  EXPECT_EQ(exit_code_when("exit 82", "SEGMENT", "printf %s $0 > $1"), 0);
  EXPECT_EQ(got(), "SEGMENT");
  EXPECT_EQ(exit_code_when("exit 82", "SEGMENT", "exit 1"), 1);
  EXPECT_EQ(exit_code_when("exit 82", "SEGMENT", "exit 82"), 126);
  EXPECT_EQ(exit_code_when("exit 55", "SEGMENT", "printf %s $0 > $1"), 0);
  EXPECT_EQ(requests(), "SEGMENT 0\nSEGMENT 1\nSEGMENT 82\nSEGMENT 0\n");
}

TEST_F(ArchiveGetWrapper, AClosedArchiveProvidesNothingAndIsNotRead) {
  std::ofstream(root_ / "closed").flush();
  EXPECT_EQ(exit_code_when("exit 0"), 1);
  EXPECT_EQ(requests(), "");
}

constexpr auto first = "000000010000000000000007";
constexpr auto second = "000000010000000000000008";
constexpr auto third = "000000010000000000000009";
using Requests = std::vector<std::pair<std::string, int>>;

std::vector<WalRequest> requested(const Requests& list) {
  std::vector<WalRequest> requests;
  requests.reserve(list.size());
  for (const auto& [file, code] : list) requests.push_back({.file = file, .exit_code = code});
  return requests;
}

TEST(WalRequests, AreParsedFromTheRequestLog) {
  const auto requests =
      parse_wal_requests("00000002.history 1\nhalf\n000000010000000000000007 0\n");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].file, "00000002.history");
  EXPECT_EQ(requests[0].exit_code, 1);
  EXPECT_EQ(requests[1].file, first);
}

std::optional<std::string> missing(const Requests& list) {
  const auto end = replay_end(requested(list));
  return end && !end->unreadable ? std::optional(end->segment) : std::nullopt;
}

std::optional<std::string> unreadable(const Requests& list) {
  const auto end = replay_end(requested(list));
  return end && end->unreadable ? std::optional(end->segment) : std::nullopt;
}

TEST(WalRequests, ASegmentMissedTwiceInARowIsTheEndOfTheArchive) {
  EXPECT_EQ(missing({{first, 0}, {second, 1}}), std::nullopt);
  EXPECT_EQ(missing({{first, 0}, {second, 1}, {second, 1}}), second);
  EXPECT_EQ(missing({{second, 1}, {"00000002.history", 1}, {second, 1}}), second);
}

TEST(WalRequests, ASegmentFetchedRepeatedlyCannotBeReplayed) {
  EXPECT_EQ(
      unreadable({{first, 0}, {second, 0}, {second, 0}, {second, 0}, {second, 0}, {second, 0}}),
      second);
  EXPECT_EQ(replay_end(requested({{first, 0}, {second, 0}, {second, 0}})), std::nullopt);
}

// PostgreSQL then reads both files again.
TEST(WalRequests, ADamagedRecordMayContinueInTheNextSegment) {
  Requests list;
  for (int round = 0; round < 5; ++round) {
    list.emplace_back(first, 0);
    list.emplace_back(second, 0);
  }
  EXPECT_EQ(unreadable(list), second);
  EXPECT_EQ(missing(list), std::nullopt);
}

TEST(WalRequests, ASegmentFetchedOftenBeforeReplayWentOnIsReadable) {
  Requests list(5, {first, 0});
  list.emplace_back(second, 0);
  EXPECT_EQ(replay_end(requested(list)), std::nullopt);
  list.emplace_back(third, 1);
  list.emplace_back(third, 1);
  EXPECT_EQ(missing(list), third);
}

TEST(WalRequests, ReplayThatStillFetchesIsNotAtTheEnd) {
  EXPECT_EQ(missing({{second, 1}, {second, 1}, {second, 0}}), std::nullopt);
  EXPECT_EQ(missing({{second, 1}, {first, 0}, {second, 1}}), std::nullopt);
  EXPECT_EQ(missing({{second, 1}, {second, 103}}), std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
