#include "harness/sandbox/shared/hosted_sandbox.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/process/command.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class TestSandbox final : public HostedSandbox {
 public:
  TestSandbox(SandboxSpec spec, HostDirectory directory, std::vector<std::string>& remaining)
      : HostedSandbox(std::move(spec), std::move(directory)), remaining_(remaining) {}
  ~TestSandbox() override { destroy_unless_kept(); }

  void make() { directory().make_directories(); }
  CommandResult run(const Command&, std::stop_token) override { return {}; }
  void require_sound(std::stop_token) override {}

 protected:
  Removal remove_everything() override {
    auto removal = HostedSandbox::remove_everything();
    removal.remaining = remaining_;
    return removal;
  }

 private:
  std::vector<std::string>& remaining_;
};

class HostedSandboxes : public testing::Test {
 protected:
  HostedSandboxes() {
    std::string pattern = "/tmp/pgrehearse-hosted-XXXXXX";
    scratch_ = mkdtemp(pattern.data());
    fs::permissions(scratch_, fs::perms(0755));
  }
  ~HostedSandboxes() override {
    std::error_code failure;
    fs::remove_all(scratch_, failure);
  }
  [[nodiscard]] Registry registry() const { return Registry(scratch_ / "state"); }
  std::unique_ptr<TestSandbox> make() {
    SandboxSpec spec{.run_id = "drill-1", .type = "test", .superuser = "admin"};
    auto directory = HostDirectory::claim(registry(), spec, current_account());
    auto sandbox = std::make_unique<TestSandbox>(spec, std::move(directory), remaining_);
    sandbox->make();
    return sandbox;
  }

  fs::path scratch_;
  std::vector<std::string> remaining_;
};

TEST_F(HostedSandboxes, FilesAreThoseOfTheDirectoryOnThisHost) {
  const auto sandbox = make();
  const auto file = sandbox->paths().configuration / "a";
  sandbox->write_file(file, "0123");
  EXPECT_EQ(sandbox->read_file(file, 2), "23");
  EXPECT_EQ(sandbox->size_of(file).count, 4U);
  EXPECT_EQ(sandbox->server().at("user"), "admin");
  EXPECT_EQ(sandbox->server().at("host"), sandbox->paths().sockets);
  EXPECT_THROW(static_cast<void>(sandbox->program("pg_ctl")), Error) << "no binaries were found";
}

TEST_F(HostedSandboxes, TheDestructorRemovesFilesAndRegistryEntry) {
  auto sandbox = make();
  const auto root = sandbox->paths().root;
  sandbox.reset();
  EXPECT_FALSE(fs::exists(root));
  EXPECT_TRUE(registry().list().empty());
}

TEST_F(HostedSandboxes, TheRegistryEntryRemainsUntilEverythingIsRemoved) {
  auto sandbox = make();
  remaining_ = {"process 1 postgres"};
  EXPECT_FALSE(sandbox->destroy().complete());
  EXPECT_EQ(registry().list().size(), 1U);
  remaining_.clear();
  EXPECT_TRUE(sandbox->destroy().complete());
  EXPECT_TRUE(registry().list().empty());
  EXPECT_TRUE(sandbox->destroy().complete()) << "a second time";
}

TEST_F(HostedSandboxes, AKeptSandboxIsListedAndRemovedByItsRegistryEntry) {
  auto sandbox = make();
  const auto root = sandbox->paths().root;
  sandbox->keep();
  sandbox.reset();
  EXPECT_TRUE(fs::exists(root));
  EXPECT_TRUE(registered_leftovers(registry(), {"other"}).empty());
  const auto leftovers = registered_leftovers(registry(), {"other", "test"});
  ASSERT_EQ(leftovers.size(), 1U);
  EXPECT_TRUE(leftovers[0].kept);
  const auto remove_nothing = [](const RegistryEntry&) { return Removal{.remaining = {"all"}}; };
  EXPECT_FALSE(remove_registered(registry(), leftovers[0], remove_nothing)->complete());
  EXPECT_EQ(registry().list().size(), 1U);
  const auto remove_all = [](const RegistryEntry& entry) {
    fs::remove_all(entry.root);
    return Removal{};
  };
  EXPECT_TRUE(remove_registered(registry(), leftovers[0], remove_all)->complete());
  EXPECT_FALSE(remove_registered(registry(), leftovers[0], remove_all)) << "no entry any more";
}

}  // namespace
}  // namespace pgrehearse
