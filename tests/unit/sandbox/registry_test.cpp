#include "harness/sandbox/registry.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "pgrehearse-registry-XXXXXX").string();
    state_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(state_); }

  [[nodiscard]] static RegistryEntry entry(const std::string& run_id) {
    return {.run_id = run_id,
            .type = "local",
            .scenario = "weekly \"orders\"",
            .created = "2026-11-20T03:00:00.000000Z",
            .host = host_name(),
            .boot_id = boot_id(),
            .account = "postgres",
            .root = "/var/lib/pgrehearse/sandboxes/" + run_id,
            .sockets = "/tmp/pgr-abc",
            .kept = true};
  }
  [[nodiscard]] fs::path file(const std::string& name) const { return state_ / "sandboxes" / name; }

  fs::path state_;
};

TEST_F(RegistryTest, EntryIsUnchangedAfterAJsonRoundTrip) {
  const auto before = entry("drill-1");
  const auto after = entry_from_json(to_json(before));
  ASSERT_TRUE(after);
  EXPECT_EQ(to_json(*after), to_json(before));
  EXPECT_EQ(after->scenario, before.scenario);
  EXPECT_EQ(after->root, before.root);
  EXPECT_EQ(after->sockets, before.sockets);
  EXPECT_TRUE(after->kept);
}

TEST_F(RegistryTest, OtherJsonIsNotAnEntry) {
  EXPECT_FALSE(entry_from_json(""));
  EXPECT_FALSE(entry_from_json("{\"schema\": \"pgrehearse.sandbox/1\""));
  EXPECT_FALSE(entry_from_json("[]"));
  EXPECT_FALSE(entry_from_json(R"({"schema": "pgrehearse.sandbox/2", "run_id": "a"})"));
  EXPECT_FALSE(entry_from_json(R"({"schema": "pgrehearse.sandbox/1"})"));
}

TEST_F(RegistryTest, OwnerIsAliveUntilItReleasesTheEntry) {
  const Registry registry(state_);
  {
    const auto owned = registry.publish(entry("drill-1"));
    ASSERT_EQ(registry.list().size(), 1U);
    EXPECT_TRUE(registry.list()[0].alive);
    EXPECT_FALSE(registry.take("drill-1"));
  }
  EXPECT_FALSE(registry.list()[0].alive);
  auto taken = registry.take("drill-1");
  ASSERT_TRUE(taken);
  taken->remove();
  EXPECT_THAT(registry.list(), IsEmpty());
}

TEST_F(RegistryTest, KilledOwnerIsNotAlive) {
  const Registry registry(state_);
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    auto owned = registry.publish(entry("drill-1"));
    [[maybe_unused]] const auto written = write(ends[1], "R", 1);
    pause();
    owned.remove();
    _exit(0);
  }
  char ready = 0;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  EXPECT_TRUE(registry.list()[0].alive);
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_FALSE(registry.list()[0].alive);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(RegistryTest, RewrittenEntryStaysLocked) {
  const Registry registry(state_);
  auto owned = registry.publish(entry("drill-1"));
  auto changed = entry("drill-1");
  changed.kept = false;
  owned.write(changed);
  EXPECT_FALSE(registry.find("drill-1")->kept);
  EXPECT_TRUE(registry.list()[0].alive);
  EXPECT_FALSE(registry.take("drill-1"));
}

TEST_F(RegistryTest, NameInUseIsRejected) {
  const Registry registry(state_);
  const auto owned = registry.publish(entry("drill-1"));
  EXPECT_THROW(registry.publish(entry("drill-1")), Error);
  EXPECT_TRUE(registry.list()[0].alive);
}

TEST_F(RegistryTest, EntriesOfAnotherHostAreIgnored) {
  const Registry registry(state_);
  auto foreign = entry("drill-1");
  foreign.host = "another";
  foreign.boot_id = "another";
  auto renamed = entry("drill-2");
  renamed.host = "the name before";
  static_cast<void>(registry.publish(foreign));
  static_cast<void>(registry.publish(renamed));
  ASSERT_EQ(registry.list().size(), 1U);
  EXPECT_EQ(registry.list()[0].entry.run_id, "drill-2");
}

TEST_F(RegistryTest, EntryUnderAnotherNameIsIgnored) {
  const Registry registry(state_);
  static_cast<void>(registry.publish(entry("drill-1")));
  fs::rename(file("drill-1.json"), file("drill-2.json"));
  EXPECT_THAT(registry.list(), IsEmpty());
}

TEST_F(RegistryTest, OldUnfinishedEntryIsRemovedAndARecentOneIsNot) {
  const Registry registry(state_);
  static_cast<void>(registry.publish(entry("drill-1")));
  std::ofstream(file("old.json.new")) << "{";
  std::ofstream(file("young.json.new")) << "{";
  fs::last_write_time(file("old.json.new"),
                      fs::file_time_type::clock::now() - std::chrono::minutes(2));
  static_cast<void>(registry.publish(entry("drill-2")));
  EXPECT_FALSE(fs::exists(file("old.json.new")));
  EXPECT_TRUE(fs::exists(file("young.json.new")));
}

TEST_F(RegistryTest, UnwritableStateDirectoryHasTheCauseEnvironment) {
  std::ofstream(state_ / "file") << "";
  try {
    static_cast<void>(Registry(state_ / "file").publish(entry("drill-1")));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.hint(), testing::HasSubstr("--state"));
  }
}

}  // namespace
}  // namespace pgrehearse
