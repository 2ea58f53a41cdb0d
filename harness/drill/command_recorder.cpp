#include "harness/drill/command_recorder.hpp"

#include <fmt/format.h>

#include <fstream>

namespace pgrehearse {

void CommandRecorder::log_into(std::filesystem::path logs) {
  const std::lock_guard lock(mutex_);
  logs_ = std::move(logs);
  records_.clear();
}

CommandResult CommandRecorder::run(const Command& command, std::stop_token stop) {
  auto result = runner_.run(command, std::move(stop));
  if (!command.unlisted) record(command, result);
  return result;
}

void CommandRecorder::record(const Command& command, const CommandResult& result) {
  const std::lock_guard lock(mutex_);
  CommandRecord entry{.command = to_text(command),
                      .exit_code = result.exit_code,
                      .seconds = Seconds(result.duration).count()};
  if (!logs_.empty() && !(result.output.empty() && result.error_output.empty())) {
    const auto name = fmt::format("{:03}-{}.log", records_.size() + 1,
                                  std::filesystem::path(command.program).filename().string());
    std::ofstream log(logs_ / name);
    log << "$ " << entry.command << '\n' << result.output << result.error_output;
    log.close();
    if (log) entry.log = "logs/" + name;
  }
  records_.push_back(std::move(entry));
}

void CommandRecorder::adopt(std::vector<CommandRecord> records) {
  const std::lock_guard lock(mutex_);
  for (auto& entry : records) {
    entry.log.clear();
    records_.push_back(std::move(entry));
  }
}

std::vector<CommandRecord> CommandRecorder::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

}  // namespace pgrehearse
