// What every drill test needs: the shared laboratory, a scratch directory, the real binary as a
// child process, and a check for leftovers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/report/report.hpp"
#include "tests/drills/shared_laboratory.hpp"

namespace pgrehearse {

struct DrillRun {
  int exit_code = -1;
  std::string output;
  std::string error_output;
  std::optional<Report> report;  // absent when none was written

  // For the message of a failed expectation.
  [[nodiscard]] std::string text() const;
  // nullptr when no such check ran.
  [[nodiscard]] const CheckRecord* check(std::string_view name) const;
  // All finding codes and objects of the report, "CODE object", one per line, including the
  // diagnosis.
  [[nodiscard]] std::string findings() const;
};

// Relative path -> size and modification time.
using Listing = std::map<std::string, std::pair<std::uintmax_t, std::int64_t>>;
Listing list_files(const std::filesystem::path& directory);

// Empty for a file of a process that has ended.
std::string content_of(const std::filesystem::path& file);

class DrillTest : public testing::Test {
 protected:
  void SetUp() override;
  // A failed test keeps its scratch directory and prints its path.
  void TearDown() override;

  // `pgrehearse <arguments> --state <scratch>/state`, and --json for `run` and `demo`.
  DrillRun pgrehearse(std::vector<std::string> arguments,
                      std::map<std::string, std::string> environment = {});
  // Writes the scenario and runs it.
  DrillRun run_scenario(const std::string& text, std::vector<std::string> options = {});

  // A scenario against the shared laboratory; `rest` is YAML (recover_to, checks, ...).
  [[nodiscard]] std::string scenario(std::string_view rest) const;
  // The same with another pgBackRest configuration.
  [[nodiscard]] std::string scenario_with(const std::filesystem::path& configuration,
                                          std::string_view rest) const;
  // Copies the shared repository, to be damaged; returns the configuration of the copy.
  std::filesystem::path copy_repository();
  [[nodiscard]] std::filesystem::path copied_repository() const { return scratch / "repository"; }

  // A small running laboratory with a stanza, for this test only.
  std::unique_ptr<Laboratory> make_laboratory(LaboratoryOptions options = {});

  // Fails the test if the drills of this test left a process, a sandbox, a socket or a lock.
  void expect_nothing_left() const;

  BoostCommandRunner runner;
  SharedLaboratory shared;
  std::unique_ptr<Laboratory> laboratory;  // the shared one: read only
  std::filesystem::path scratch;
  std::filesystem::path state;
};

}  // namespace pgrehearse
