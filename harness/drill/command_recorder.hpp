// Records every command of a drill for the report: command line, exit code, duration, output.
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

  // Writes the output of each following command to a numbered file in `logs`; the report names it
  // relative to the run directory.
  void log_into(std::filesystem::path logs);
  CommandResult run(const Command& command, std::stop_token stop) override;
  // A command that was run by other means.
  void record(const Command& command, const CommandResult& result);
  // Commands of another pgrehearse process, whose logs are not on this host.
  void adopt(std::vector<CommandRecord> records);
  [[nodiscard]] std::vector<CommandRecord> records() const;

 private:
  CommandRunner& runner_;
  mutable std::mutex mutex_;
  std::filesystem::path logs_;
  std::vector<CommandRecord> records_;
};

}  // namespace pgrehearse
