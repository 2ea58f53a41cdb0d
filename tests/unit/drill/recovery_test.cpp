#include "harness/drill/recovery.hpp"

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
  }
  ~ArchiveGetWrapper() override { std::filesystem::remove_all(root_); }

  int exit_code_when(const std::string& command) {
    std::ofstream(root_ / "wrapper")
        << archive_get_wrapper({"sh", "-c", command}, root_ / "requests", root_ / "closed");
    BoostCommandRunner runner;
    return runner
        .run({.program = "/bin/sh", .arguments = {root_ / "wrapper", "SEGMENT", "pg_wal/X"}}, {})
        .exit_code;
  }
  std::string requests() const {
    std::ostringstream text;
    text << std::ifstream(root_ / "requests").rdbuf();
    return text.str();
  }

  std::filesystem::path root_;
};

TEST_F(ArchiveGetWrapper, FoundAndNotFoundGoThrough) {
  EXPECT_EQ(exit_code_when("exit 0"), 0);
  EXPECT_EQ(exit_code_when("exit 1"), 1);
  EXPECT_EQ(requests(), "SEGMENT 0\nSEGMENT 1\n");
}

TEST_F(ArchiveGetWrapper, AFailingRepositoryIsNotTheEndOfTheArchive) {
  EXPECT_EQ(exit_code_when("exit 2"), 126);
  EXPECT_EQ(exit_code_when("exit 103"), 126);
  EXPECT_EQ(exit_code_when("kill -KILL $$"), 126);
  EXPECT_EQ(requests(), "SEGMENT 2\nSEGMENT 103\nSEGMENT 137\n");
}

TEST_F(ArchiveGetWrapper, AClosedArchiveHasNothingAndIsNotAsked) {
  std::ofstream(root_ / "closed").flush();
  EXPECT_EQ(exit_code_when("exit 0"), 1);
  EXPECT_EQ(requests(), "");
}

constexpr auto first = "000000010000000000000007";
constexpr auto second = "000000010000000000000008";

std::vector<WalRequest> requested(std::vector<std::pair<std::string, int>> list) {
  std::vector<WalRequest> requests;
  for (auto& [file, code] : list) requests.push_back({.file = file, .exit_code = code});
  return requests;
}

TEST(WalRequests, AreReadFromTheWrappersRecord) {
  const auto requests =
      parse_wal_requests("00000002.history 1\nhalf\n000000010000000000000007 0\n");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].file, "00000002.history");
  EXPECT_EQ(requests[0].exit_code, 1);
  EXPECT_EQ(requests[1].file, first);
}

TEST(WalRequests, TheEndIsASegmentAskedForTwiceInVain) {
  EXPECT_EQ(missing_at_end(requested({{first, 0}, {second, 1}})), std::nullopt);
  EXPECT_EQ(missing_at_end(requested({{first, 0}, {second, 1}, {second, 1}})), second);
  EXPECT_EQ(missing_at_end(requested({{second, 1}, {"00000002.history", 1}, {second, 1}})), second);
}

TEST(WalRequests, ASegmentFetchedOverAndOverCannotBeReplayed) {
  EXPECT_EQ(missing_at_end(requested(
                {{first, 0}, {second, 0}, {second, 0}, {second, 0}, {second, 0}, {second, 0}})),
            second);
  EXPECT_EQ(missing_at_end(requested({{first, 0}, {second, 0}, {second, 0}})), std::nullopt);
}

TEST(WalRequests, ReplayThatStillFetchesIsNotAtTheEnd) {
  EXPECT_EQ(missing_at_end(requested({{second, 1}, {second, 1}, {second, 0}})), std::nullopt);
  EXPECT_EQ(missing_at_end(requested({{second, 1}, {first, 0}, {second, 1}})), std::nullopt);
  EXPECT_EQ(missing_at_end(requested({{second, 1}, {second, 103}})), std::nullopt);
}

}  // namespace
}  // namespace pgrehearse
