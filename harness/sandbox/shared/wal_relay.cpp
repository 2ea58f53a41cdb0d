#include "harness/sandbox/shared/wal_relay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_request = 4096;

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

}  // namespace

WalRelay::WalRelay(Account account, const fs::path& directory, WalRequests::Run run)
    : account_(std::move(account)), files_(wal_relay_files(directory)), received_(std::move(run)) {
  write_file_of(account_, files_.script, wal_client_script(files_), 0600);
  const ActingAccount acting(account_);
  requests_ = make_pipe(files_.requests);
  try {
    answers_ = make_pipe(files_.answers);
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
    unlink(files_.requests.c_str());
    unlink(files_.answers.c_str());
  } catch (const Error&) {
    // They are removed with the sandbox.
  }
  close(requests_);
  close(answers_);
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
      answer(received_.answer(std::string_view(pending).substr(0, end), stop));
      pending.erase(0, end + 1);
    }
    if (pending.size() > longest_request) pending.clear();
  }
  close(stopped);
}

void WalRelay::answer(const std::string& text) const {
  if (text.empty()) return;
  // Answers to clients that have ended would be read by the next one, which ignores them; the pipe
  // must not fill up with them.
  std::array<char, longest_request> stale{};
  while (read(answers_, stale.data(), stale.size()) > 0) {
  }
  if (write(answers_, text.data(), text.size()) < 0) return;
}

}  // namespace pgrehearse
