#include "harness/map/map_edges.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>
#include <set>

#include "tests/fakes/check_bench.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/unit/repository/wal_layouts.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Instant midnight = *parse_instant("2026-11-20 00:00:00+00");

// Answers archive-get only.
class Archive : public UntouchedRepository {
 public:
  std::vector<std::string> archive_get(const Backup&, const Sandbox&, WalFetch) override {
    return {"archive-get"};
  }
  RepositoryAccess access() override { return {.paths = {"/repository"}}; }
};

class SandboxMaker : public Provisioner {
 public:
  explicit SandboxMaker(CommandRunner& runner) : runner_(runner) {}
  std::string probe(const SandboxSpec&, std::stop_token) override { return {}; }
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token) override {
    major = spec.postgres_major;
    readable = spec.readable;
    auto sandbox = std::make_unique<ScriptedSandbox>(runner_);
    made = sandbox.get();
    return sandbox;
  }
  [[nodiscard]] std::vector<Leftover> list() const override { return {}; }
  Removal remove(const Leftover&) override { return {}; }

  Sandbox* made = nullptr;
  int major = 0;
  std::vector<std::filesystem::path> readable;

 private:
  CommandRunner& runner_;
};

// 64 zeroes and their CRC-32C, in a file as long as PostgreSQL's.
std::string empty_control() {
  constexpr std::size_t length = 64;
  constexpr std::uint32_t sum = 0x03C8EB67U;
  std::string control(8192, '\0');
  std::memcpy(control.data() + length, &sum, sizeof(sum));
  return control;
}

std::string commit(const char* lsn, const char* time) {
  return fmt::format(
      "rmgr: Transaction len (rec/tot):     34/    34, tx:        741, lsn: {}, prev 0/0, desc: "
      "COMMIT 2026-11-20 {} UTC\n",
      lsn, time);
}

class MapEdges : public testing::Test {
 protected:
  MapEdges() {
    const auto name = file_name({1, 3}, 16 * mib);
    const std::vector<Backup> backups{{.label = "backup-3",
                                       .postgres_major = 15,
                                       .postgres_version = "15",
                                       .system_identifier = 7,
                                       .start_time = midnight,
                                       .stop_time = midnight,
                                       .start_lsn = at(3),
                                       .stop_lsn = at(3, 0x100),
                                       .start_segment = name,
                                       .stop_segment = name}};
    map.archives.push_back(map_archive(backups, listing({{1, 3, 9}})));
    runner.on({"mkdir"}, ScriptedCommandRunner::success());
    runner.on_call({"pg_resetwal"}, [this](const Command&) {
      if (has_control) {
        sandboxes.made->write_file(sandboxes.made->paths().data / "global" / "pg_control",
                                   empty_control());
      }
      return ScriptedCommandRunner::success();
    });
  }

  // The output of pg_waldump for segment `number`.
  void segment(std::uint64_t number, const std::string& records, const std::string& error = "") {
    const auto name = file_name({1, number}, 16 * mib);
    runner.on({"archive-get", name}, ScriptedCommandRunner::success());
    runner.on({"pg_waldump", "/sandbox/wal/" + name},
              error.empty() ? ScriptedCommandRunner::success(records)
                            : ScriptedCommandRunner::failure(1, error, records));
  }

  const MapWindow& read() {
    read_edges(map, {.repository = archive, .provisioner = &sandboxes, .sandbox = {}}, {});
    return map.archives[0].branches.at(0).windows.at(0);
  }

  ScriptedCommandRunner runner;
  SandboxMaker sandboxes{runner};
  Archive archive;
  RecoveryMap map;
  bool has_control = true;
};

TEST_F(MapEdges, NewestCommitOfTheLastSegmentIsTheTimeOfTheEnd) {
  segment(9, commit("0/09000100", "03:00:00") + commit("0/09000200", "05:00:00") +
                 commit("0/09000300", "04:00:00") +
                 "rmgr: Heap        len (rec/tot):     59/    59, tx:          0, lsn: 0/09000400, "
                 "prev 0/09000300, desc: INSERT\n");
  const auto& window = read();
  EXPECT_EQ(window.end.time, midnight + std::chrono::hours(5)) << "not in WAL order";
  EXPECT_EQ(window.last_record, (Lsn{0x09000400}));
  EXPECT_EQ(window.note, "");
  EXPECT_EQ(sandboxes.major, 15);
  EXPECT_EQ(sandboxes.readable, std::vector<std::filesystem::path>{"/repository"});
  EXPECT_EQ(verdict_of(map), MapVerdict::continuous);
}

TEST_F(MapEdges, ASegmentThatCannotBeReadToItsEndIsNoted) {
  segment(9, commit("0/09000100", "03:00:00"),
          "pg_waldump: error: error in WAL record at 0/9000100: invalid record length");
  const auto& window = read();
  EXPECT_EQ(window.end.time, midnight + std::chrono::hours(3));
  EXPECT_THAT(window.note, HasSubstr("000000010000000000000009 cannot be read to its end"));
}

TEST_F(MapEdges, ReadsEarlierSegmentsUntilItFindsACommit) {
  segment(9,
          "rmgr: Heap        len (rec/tot):     59/    59, tx:          0, lsn: 0/09000400, "
          "prev 0/09000300, desc: INSERT\n");
  segment(8, commit("0/08000100", "02:00:00"));
  const auto& window = read();
  EXPECT_EQ(window.end.time, midnight + std::chrono::hours(2));
  EXPECT_EQ(window.last_record, (Lsn{0x09000400})) << "of the last segment";
}

TEST_F(MapEdges, StopsAfterFourSegmentsWithoutACommit) {
  for (std::uint64_t number = 6; number <= 9; ++number) segment(number, "");
  const auto& window = read();
  EXPECT_FALSE(window.end.time);
  EXPECT_EQ(window.note, "no commit in the last 4 segments");
}

// All commits of the segments after the gap are older than the newest one before it.
TEST_F(MapEdges, LossDoesNotEndBeforeItBegins) {
  const auto backups = std::vector{map.archives[0].backups[0].backup};
  map.archives[0] = map_archive(backups, listing({{1, 3, 6}, {1, 8, 9}}));
  segment(6, commit("0/06000100", "05:00:00"));
  segment(9, commit("0/09000100", "04:00:00"));
  read();
  const auto& loss = map.archives[0].branches.at(0).losses.at(0);
  EXPECT_EQ(loss.begin.time, midnight + std::chrono::hours(5));
  EXPECT_FALSE(loss.end.time);
  EXPECT_EQ(loss.end.not_before, midnight + std::chrono::hours(5));
}

TEST_F(MapEdges, UnfetchableSegmentMakesTheMapUnknown) {
  runner.on({"archive-get"}, ScriptedCommandRunner::failure(41, "ERROR: [041]: permission denied"));
  const auto& window = read();
  EXPECT_THAT(window.note, HasSubstr("000000010000000000000009 is listed but cannot be fetched"));
  EXPECT_THAT(map.unknown, ElementsAre(HasSubstr("permission denied")));
  EXPECT_EQ(verdict_of(map), MapVerdict::unknown);
}

TEST_F(MapEdges, WithoutBinariesTheBoundsStayAndTheNoteSaysWhy) {
  has_control = false;
  const auto& window = read();
  EXPECT_FALSE(window.end.time);
  EXPECT_THAT(window.note, HasSubstr("pg_resetwal wrote no control file"));
}

}  // namespace
}  // namespace pgrehearse
