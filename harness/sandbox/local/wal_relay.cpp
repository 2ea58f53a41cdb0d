#include "harness/sandbox/local/wal_relay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_request = 4096;

fs::path requests_in(const fs::path& directory) { return directory / "wal-requests"; }
fs::path answers_in(const fs::path& directory) { return directory / "wal-answers"; }
fs::path script_in(const fs::path& directory) { return directory / "wal-relay"; }

// Opened for reading and writing, so that it stays open when a client ends.
int make_pipe(const fs::path& path) {
  const bool made = mkfifo(path.c_str(), 0600) == 0;
  const int fd = made ? open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) : -1;
  struct stat status {};
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) return fd;
  const int error = errno;
  if (fd >= 0) close(fd);
  throw Error(ErrorKind::environment,
              fmt::format("cannot create the named pipe '{}': {}", path.string(),
                          std::generic_category().message(error)),
              "choose another directory with sandbox.directory", FindingCode::env_directory,
              path.string());
}

std::string client_script(const fs::path& directory) {
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
      fmt::arg("requests", shell_word(requests_in(directory).native())),
      fmt::arg("answers", shell_word(answers_in(directory).native())));
}

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

WalRelay::WalRelay(Account account, fs::path directory, fs::path data, Run run)
    : account_(std::move(account)),
      directory_(std::move(directory)),
      data_(std::move(data)),
      run_(std::move(run)) {
  write_file_of(account_, script_in(directory_), client_script(directory_), 0600);
  const ActingAccount acting(account_);
  requests_ = make_pipe(requests_in(directory_));
  try {
    answers_ = make_pipe(answers_in(directory_));
  } catch (const Error&) {
    close(requests_);
    throw;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

WalRelay::~WalRelay() {
  thread_.request_stop();
  thread_.join();
  try {
    const ActingAccount acting(account_);
    unlink(requests_in(directory_).c_str());
    unlink(answers_in(directory_).c_str());
  } catch (const Error&) {
    // They are removed with the sandbox.
  }
  close(requests_);
  close(answers_);
}

std::vector<std::string> WalRelay::client_of(std::vector<std::string> archive_get) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find(commands_.begin(), commands_.end(), archive_get);
  const auto number = static_cast<std::size_t>(known - commands_.begin());
  if (known == commands_.end()) commands_.push_back(std::move(archive_get));
  return {"sh", script_in(directory_).string(), std::to_string(number)};
}

void WalRelay::serve(const std::stop_token& stop) {
  const int stopped = eventfd(0, EFD_CLOEXEC);
  const std::stop_callback wake(stop, [stopped] { eventfd_write(stopped, 1); });
  std::string pending;
  std::array<char, longest_request> buffer{};
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> events{pollfd{.fd = requests_, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = stopped, .events = POLLIN, .revents = 0}};
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) break;
    const auto length = read(requests_, buffer.data(), buffer.size());
    if (length > 0) pending.append(buffer.data(), static_cast<std::size_t>(length));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const auto request = parse_wal_relay_request(std::string_view(pending).substr(0, end));
      pending.erase(0, end + 1);
      if (request && !stop.stop_requested()) answer(*request, stop);
    }
    if (pending.size() > longest_request) pending.clear();
  }
  close(stopped);
}

void WalRelay::answer(const WalRelayRequest& request, const std::stop_token& stop) {
  std::vector<std::string> words;
  {
    const std::lock_guard lock(mutex_);
    if (request.command >= commands_.size()) return;
    words = commands_[request.command];
  }
  words.push_back(request.file);
  words.push_back(data_ / request.destination);
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
  for (const auto line : lines_of(messages)) {
    const auto added =
        fmt::format("{} message |{}\n", request.client, line.substr(0, longest_message));
    if (text.size() + added.size() <= most_text) text += added;
  }
  text += fmt::format("{} {}\n", request.client, code);
  // Answers to clients that have ended would be read by the next one, which ignores them; the pipe
  // must not fill up with them.
  std::array<char, longest_request> stale{};
  while (read(answers_, stale.data(), stale.size()) > 0) {
  }
  if (write(answers_, text.data(), text.size()) < 0) return;
}

}  // namespace pgrehearse
