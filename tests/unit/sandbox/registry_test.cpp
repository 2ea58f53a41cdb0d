#include "harness/sandbox/registry.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "tests/fakes/require_or_skip.hpp"

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

// Otherwise another account could have root remove any directory, or keep leftovers from removal.
class UntrustedRegistryTest : public RegistryTest {
 protected:
  static constexpr uid_t stranger = 65534;

  void SetUp() override {
    RegistryTest::SetUp();
    static_cast<void>(require_or_skip(geteuid() == 0 ? "" : "needs root", Remedy::none));
  }
  void make_entry_of(uid_t owner, mode_t mode) const {
    { const auto published = registry().publish(entry("first")); }
    std::ofstream(file("planned.json")) << to_json(entry("planned"));
    ASSERT_EQ(chown(file("planned.json").c_str(), owner, owner), 0);
    ASSERT_EQ(chmod(file("planned.json").c_str(), mode), 0);
  }
  [[nodiscard]] Registry registry() const { return Registry(state_); }
};

TEST_F(UntrustedRegistryTest, EntriesOfOthersAreIgnored) {
  for (const auto& [owner, mode] : {std::pair<uid_t, mode_t>{stranger, 0600}, {0, 0666}}) {
    make_entry_of(owner, mode);
    EXPECT_EQ(registry().list().size(), 1U);
    EXPECT_FALSE(registry().find("planned"));
    EXPECT_FALSE(registry().take("planned"));
    fs::remove_all(state_ / "sandboxes");
  }
  make_entry_of(0, 0600);
  EXPECT_EQ(registry().list().size(), 2U);
}

TEST_F(UntrustedRegistryTest, LinksToEntriesAreIgnored) {
  make_entry_of(0, 0600);
  fs::rename(file("planned.json"), state_ / "elsewhere");
  fs::create_symlink(state_ / "elsewhere", file("planned.json"));
  EXPECT_EQ(registry().list().size(), 1U);
  EXPECT_FALSE(registry().find("planned"));
}

TEST_F(UntrustedRegistryTest, StrangersCannotLockAnEntry) {
  fs::permissions(state_, fs::perms(0755));
  const auto owned = registry().publish(entry("first"));
  const pid_t child = fork();
  if (child == 0) {
    const bool dropped = setgid(stranger) == 0 && setuid(stranger) == 0;
    _exit(dropped && open(file("first.json").c_str(), O_RDONLY) < 0 && errno == EACCES ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(UntrustedRegistryTest, ADirectoryThatOthersCanChangeIsRefused) {
  const auto refused = [&] {
    try {
      static_cast<void>(registry().list());
    } catch (const Error& error) {
      return error.code() == FindingCode::env_state;
    }
    return false;
  };
  { const auto published = registry().publish(entry("first")); }
  EXPECT_FALSE(refused());
  for (const auto& directory : {state_, state_ / "sandboxes"}) {
    ASSERT_EQ(chown(directory.c_str(), stranger, stranger), 0);
    EXPECT_TRUE(refused());
    ASSERT_EQ(chown(directory.c_str(), 0, 0), 0);
    fs::permissions(directory, fs::perms(01777));
    EXPECT_EQ(refused(), directory != state_);
    fs::permissions(directory, fs::perms(0777));
    EXPECT_TRUE(refused());
    fs::permissions(directory, fs::perms(0755));
  }
  EXPECT_FALSE(refused());
}

}  // namespace
}  // namespace pgrehearse
