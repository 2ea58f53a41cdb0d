#include "harness/agent/session.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "harness/agent/protocol.hpp"
#include "harness/agent/socket.hpp"

namespace pgrehearse::agent {

namespace {

using Clock = std::chrono::steady_clock;

// A descendant may hold the streams open after the command has ended.
constexpr auto time_to_drain = std::chrono::milliseconds(500);
constexpr mode_t private_files = 077;

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {Descriptor(), Descriptor()};
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor file_with(const std::string& content) {
  if (content.empty()) return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto count = write(file.get(), rest.data(), rest.size());
    if (count <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

void accept_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Readable when a child has ended.
Descriptor child_end_events() {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGCHLD);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  return Descriptor(signalfd(-1, &end, SFD_CLOEXEC));
}

// Runs in the new process; returns only on failure, with its errno.
int execute(Request request, const SessionSettings& settings) {
  setpgid(0, 0);
  umask(private_files);
  if (settings.account && !switch_to_account(*settings.account)) return EPERM;
  if (chdir(request.directory.c_str()) != 0) return errno;
  accept_signals();
  for (const int signal : {SIGCHLD, SIGPIPE, SIGTERM, SIGINT}) std::signal(signal, SIG_DFL);
  for (const auto& variable : settings.environment) {
    const auto name = variable.substr(0, variable.find('=') + 1);
    const bool given = std::any_of(request.environment.begin(), request.environment.end(),
                                   [&](const auto& asked) { return asked.starts_with(name); });
    if (!given) request.environment.push_back(variable);
  }
  request.arguments.insert(request.arguments.begin(), request.program);
  auto arguments = pointers(request.arguments);
  auto environment = pointers(request.environment);
  environ = environment.data();
  execvp(request.program.c_str(), arguments.data());
  return errno;
}

class Session {
 public:
  Session(Descriptor stream, SessionSettings settings)
      : stream_(std::move(stream)), settings_(std::move(settings)) {}

  void run() {
    if (!receive_request() || !start()) return;
    serve();
    kill(-child_, SIGKILL);
  }

 private:
  bool receive_request() {
    Message type{};
    std::string payload;
    while (!messages_.next(type, payload)) {
      if (!receive()) return false;
    }
    request_ = request_from(payload);
    return type == Message::request;
  }

  bool receive() {
    std::array<char, 16384> buffer{};
    const auto count = read(stream_.get(), buffer.data(), buffer.size());
    if (count <= 0) return count < 0 && errno == EINTR;
    messages_.take({buffer.data(), static_cast<std::size_t>(count)});
    return true;
  }

  bool start() {
    auto output = make_pipe();
    auto error = make_pipe();
    auto failure = make_pipe();  // closed by a successful exec
    const auto input = file_with(request_.input);
    ends_ = child_end_events();
    child_ = fork();
    if (child_ < 0) return report_failure(errno);
    if (child_ == 0) {
      dup2(input.get(), STDIN_FILENO);
      dup2(output.write.get(), STDOUT_FILENO);
      dup2(error.write.get(), STDERR_FILENO);
      const int reason = execute(request_, settings_);
      [[maybe_unused]] const auto written = write(failure.write.get(), &reason, sizeof(reason));
      _exit(127);
    }
    setpgid(child_, child_);
    output_ = std::move(output.read);
    error_ = std::move(error.read);
    failure.write.reset();
    int reason = 0;
    if (read(failure.read.get(), &reason, sizeof(reason)) <= 0) return true;
    return report_failure(reason);
  }

  bool report_failure(int reason) {
    write_all(stream_.get(), message(Message::not_started, numbers(reason)));
    return false;
  }

  // Runs until the command has ended and all its output is forwarded.
  void serve() {
    while (true) {
      std::array<pollfd, 4> polled{{{stream_.get(), POLLIN, 0},
                                    {output_.get(), POLLIN, 0},
                                    {error_.get(), POLLIN, 0},
                                    {ends_.get(), POLLIN, 0}}};
      const int timeout = ends_ ? -1 : static_cast<int>(time_to_drain.count());
      const int ready = poll(polled.data(), polled.size(), timeout);
      if (ready < 0 && errno != EINTR) break;
      if (polled[0].revents != 0 && !handle_signals()) return;
      if (polled[1].revents != 0) forward(output_, Message::output);
      if (polled[2].revents != 0) forward(error_, Message::error);
      if (polled[3].revents != 0) record_end();
      const bool drained = !output_ && !error_;
      if (!ends_ && (drained || ready == 0 || Clock::now() > drained_by_)) break;
    }
    write_all(stream_.get(), message(Message::ended, end_));
  }

  // False when the peer has closed the stream.
  bool handle_signals() {
    if (!receive()) return false;
    Message type{};
    std::string payload;
    while (messages_.next(type, payload)) {
      if (type != Message::signal) continue;
      kill(-child_, static_cast<int>(Reader(payload).number()));
    }
    return true;
  }

  void forward(Descriptor& from, Message type) {
    std::array<char, 16384> buffer{};
    const auto count = read(from.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) return from.reset();
    write_all(stream_.get(), message(type, {buffer.data(), static_cast<std::size_t>(count)}));
  }

  void record_end() {
    signalfd_siginfo signal{};
    if (read(ends_.get(), &signal, sizeof(signal)) != sizeof(signal)) return;
    int status = 0;
    if (waitpid(child_, &status, WNOHANG) != child_) return;
    end_ = WIFEXITED(status) ? numbers(WEXITSTATUS(status)) : numbers(-1, WTERMSIG(status));
    ends_.reset();
    drained_by_ = Clock::now() + time_to_drain;
  }

  Descriptor stream_;
  SessionSettings settings_;
  Messages messages_;
  Request request_;
  pid_t child_ = -1;
  Descriptor ends_;  // readable when the command has ended; empty afterwards
  Descriptor output_;
  Descriptor error_;
  Clock::time_point drained_by_{};
  std::string end_;
};

}  // namespace

void begin_session(Descriptor stream, const SessionSettings& settings) {
  if (!stream) return;
  const auto child = fork();
  if (child < 0) write_all(stream.get(), message(Message::not_started, numbers(errno)));
  if (child != 0) return;
  accept_signals();
  // Inherited descriptors of other sessions would keep their streams open.
  const int theirs = fcntl(stream.get(), F_DUPFD_CLOEXEC, 3);
  const int kept = 3;
  dup3(theirs, kept, O_CLOEXEC);
  syscall(SYS_close_range, kept + 1, ~0U, 0);
  Session(Descriptor(kept), settings).run();
  _exit(0);
}

Descriptor begin_session(const SessionSettings& settings) {
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return Descriptor();
  Descriptor ours(ends[0]);
  begin_session(Descriptor(ends[1]), settings);
  return ours;
}

Descriptor connect_to_server(const AgentAccount& account, const char* path) {
  // The server asks the kernel for the user id of the peer (peer authentication).
  const bool is_other = setresgid(-1, account.gid, 0) == 0 && setresuid(-1, account.uid, 0) == 0;
  auto connection = is_other ? connect_to(path) : Descriptor();
  const bool back = setresuid(-1, 0, 0) == 0 && setresgid(-1, 0, 0) == 0;
  if (!back) _exit(1);
  return connection;
}

}  // namespace pgrehearse::agent
