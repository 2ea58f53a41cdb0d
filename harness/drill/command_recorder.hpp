// Records every command of a drill for the report: its line, exit code, time, and output as a log.
#pragma once

#include <filesystem>
#include <mutex>
#include <vector>

#include "harness/process/command_runner.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// Forwards to another runner, which must outlive it. Thread-safe.
class CommandRecorder : public CommandRunner {
 public:
  explicit CommandRecorder(CommandRunner& runner) : runner_(runner) {}

  // From now on outputs go to numbered files in `logs`, named relative to the run directory.
  void log_into(std::filesystem::path logs);
  CommandResult run(const Command& command, std::stop_token stop) override;
  // One that something else has run.
  void record(const Command& command, const CommandResult& result);
  // Those of another pgrehearse, whose logs are not here.
  void adopt(std::vector<CommandRecord> records);
  [[nodiscard]] std::vector<CommandRecord> records() const;

 private:
  CommandRunner& runner_;
  mutable std::mutex mutex_;
  std::filesystem::path logs_;
  std::vector<CommandRecord> records_;
};

}  // namespace pgrehearse
