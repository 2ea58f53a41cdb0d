// Runs pgrehearse's command line inside the test process.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"

namespace pgrehearse {

struct CliResult {
  int exit_code = -1;
  std::string output;
  std::string error_output;
};

inline CliResult run_cli(std::vector<std::string> words) {
  words.insert(words.begin(), "pgrehearse");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  CliResult result;
  result.exit_code = run_command_line(static_cast<int>(words.size()), argv.data());
  result.output = testing::internal::GetCapturedStdout();
  result.error_output = testing::internal::GetCapturedStderr();
  return result;
}

}  // namespace pgrehearse
