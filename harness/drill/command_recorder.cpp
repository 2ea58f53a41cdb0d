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
  const std::lock_guard lock(mutex_);
  CommandRecord record{.command = to_text(command),
                       .exit_code = result.exit_code,
                       .seconds = Seconds(result.duration).count()};
  if (!logs_.empty() && !(result.output.empty() && result.error_output.empty())) {
    const auto name = fmt::format("{:03}-{}.log", records_.size() + 1,
                                  std::filesystem::path(command.program).filename().string());
    std::ofstream log(logs_ / name);
    log << "$ " << record.command << '\n' << result.output << result.error_output;
    record.log = "logs/" + name;
  }
  records_.push_back(std::move(record));
  return result;
}

std::vector<CommandRecord> CommandRecorder::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

}  // namespace pgrehearse
