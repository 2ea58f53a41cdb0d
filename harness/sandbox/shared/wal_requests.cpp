#include "harness/sandbox/shared/wal_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

bool is_plain_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '.' || c == '_';
         });
}

bool is_destination(std::string_view path) {
  for (const std::string_view directory : {"pg_wal/", "pg_xlog/"}) {
    if (path.starts_with(directory)) return is_plain_name(path.substr(directory.size()));
  }
  return false;
}

}  // namespace

WalRelayFiles wal_relay_files(const fs::path& directory) {
  return {.requests = directory / "wal-requests",
          .answers = directory / "wal-answers",
          .script = directory / "wal-relay"};
}

std::string wal_client_script(const WalRelayFiles& files) {
  return fmt::format(
      R"sh(# $1: number of the command, $2: name of the WAL file, $3: its destination.
# Without the pipe, this is a kept copy: its archive has ended.
[ -p {requests} ] || exit 1
echo "$1 $$ $2 $3" > {requests} || exit 126
while read -r client code text; do
  [ "$client" = "$$" ] || continue
  [ "$code" = message ] || exit "$code"
  printf '%s\n' "${{text#|}}" >&2
done < {answers}
[ -p {requests} ] || exit 1
exit 126
)sh",
      fmt::arg("requests", shell_word(files.requests.native())),
      fmt::arg("answers", shell_word(files.answers.native())));
}

std::optional<WalRelayRequest> parse_wal_relay_request(std::string_view line) {
  const auto words = split(line, ' ');
  if (words.size() != 4) return {};
  WalRelayRequest request{.client = std::string(words[1]),
                          .file = std::string(words[2]),
                          .destination = std::string(words[3])};
  const auto* end = words[0].data() + words[0].size();
  const auto [stopped, failure] = std::from_chars(words[0].data(), end, request.command);
  if (failure != std::errc{} || stopped != end) return {};
  const bool plain = is_plain_name(request.client) && is_plain_name(request.file);
  return plain && is_destination(request.destination) ? std::optional(request) : std::nullopt;
}

std::vector<std::string> WalRequests::client_of(WalRelayCommand command, const fs::path& script) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find(commands_.begin(), commands_.end(), command);
  const auto number = static_cast<std::size_t>(known - commands_.begin());
  if (known == commands_.end()) commands_.push_back(std::move(command));
  return {"sh", script.string(), std::to_string(number)};
}

std::string WalRequests::answer(std::string_view line, const std::stop_token& stop) {
  const auto request = parse_wal_relay_request(line);
  if (!request || stop.stop_requested()) return {};
  std::vector<std::string> words;
  {
    const std::lock_guard lock(mutex_);
    if (request->command >= commands_.size()) return {};
    const auto& command = commands_[request->command];
    words = command.archive_get;
    words.push_back(request->file);
    words.push_back(command.data / request->destination);
  }
  // PostgreSQL must not take a failure for the end of the archive (1).
  int code = 126;
  std::string messages;
  try {
    const auto result = run_({.program = words.front(),
                              .arguments = {words.begin() + 1, words.end()},
                              .timeout = std::chrono::minutes(30),
                              .keep_output = std::size_t{1} << 14,
                              .unlisted = true},
                             stop);
    if (result.exit_code >= 0) code = result.exit_code;
    messages = result.error_output;
  } catch (const std::exception& error) {
    messages = error.what();
  }
  std::string text;
  constexpr std::size_t longest_message = 1000;
  constexpr std::size_t most_text = 3000;  // PIPE_BUF is 4096: what is written at once stays whole
  // The bar keeps the indentation of the tool's details.
  for (const auto each : lines_of(messages)) {
    const auto added =
        fmt::format("{} message |{}\n", request->client, each.substr(0, longest_message));
    if (text.size() + added.size() <= most_text) text += added;
  }
  text += fmt::format("{} {}\n", request->client, code);
  return text;
}

}  // namespace pgrehearse
