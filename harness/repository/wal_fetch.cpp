#include "harness/repository/wal_fetch.hpp"

#include "harness/common/text.hpp"

namespace pgrehearse {

CommandResult fetch_wal(const WalFetchRequest& request, const std::string& name,
                        const std::filesystem::path& destination, const std::stop_token& stop) {
  auto words = request.repository.archive_get(request.backup, request.sandbox, request.how);
  for (auto& word : words) {
    if (word.starts_with("--pg1-path=")) word = "--pg1-path=" + request.data.native();
  }
  words.push_back(name);
  words.push_back(destination);
  auto result = request.sandbox.run_backup_tool({.program = words.front(),
                                                 .arguments = {words.begin() + 1, words.end()},
                                                 .timeout = std::chrono::minutes(5)},
                                                stop);
  throw_if_cancelled(result);
  return result;
}

std::string error_excerpt(const CommandResult& result) {
  return std::string(trim(std::string_view(result.error_output).substr(0, 300)));
}

}  // namespace pgrehearse
