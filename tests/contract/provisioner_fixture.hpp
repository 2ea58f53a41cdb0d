// A scratch state directory, sandboxes in it, and owners that can be killed.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/process/boost_command_runner.hpp"
#include "tests/contract/provisioner_kinds.hpp"

namespace pgrehearse {

class ProvisionerContract : public testing::TestWithParam<ProvisionerKind> {
 protected:
  void SetUp() override;
  void TearDown() override;
  static void TearDownTestSuite() { common_.clear(); }

  [[nodiscard]] SandboxSpec spec(const std::string& run_id) const;
  std::unique_ptr<Sandbox> create(const std::string& run_id);
  // One of this kind for all tests that leave its data directory empty: some kinds take
  // seconds to make.
  Sandbox& common();
  CommandResult run(Sandbox& sandbox, std::vector<std::string> words);
  // A fresh cluster in the sandbox's data directory, and its server.
  void start_server(Sandbox& sandbox);
  [[nodiscard]] const Leftover* find(const std::vector<Leftover>& all, const std::string& id) const;

  // Runs `action` in another process that then waits, and returns that process's id once `action`
  // is over.
  pid_t fork_owner(const std::function<void()>& action);
  static void kill_owner(pid_t owner);
  // For an owner that is about to be killed: no destructor runs.
  static void abandon(std::unique_ptr<Sandbox> sandbox) { static_cast<void>(sandbox.release()); }

  std::filesystem::path scratch_;
  BoostCommandRunner runner_;
  std::unique_ptr<Provisioner> provisioner_;

 private:
  struct Common {
    Common() = default;
    Common(const Common&) = delete;
    Common& operator=(const Common&) = delete;
    ~Common();
    std::filesystem::path scratch;
    BoostCommandRunner runner;
    std::unique_ptr<Provisioner> provisioner;
    std::unique_ptr<Sandbox> sandbox;
  };
  static inline std::map<std::string, Common> common_;
};

// Command lines of living processes that hold `text`, for messages.
std::vector<std::string> processes_mentioning(const std::string& text);
// Key and id of the System V segment that guards the data directory of a running server.
std::string guarding_segment(const std::filesystem::path& root);
bool segment_exists(const std::string& key_and_id);

}  // namespace pgrehearse
