#include "harness/agent/supervisor.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness/agent/multiplexer.hpp"
#include "harness/agent/services.hpp"
#include "harness/agent/socket.hpp"

namespace pgrehearse::agent {

namespace {

constexpr mode_t private_files = 077;
constexpr char ready = 'R';

struct Pair {
  Descriptor ours;
  Descriptor theirs;
};

Pair make_pair(bool (*make)(int* ends)) {
  std::array<int, 2> ends{-1, -1};
  if (!make(ends.data())) _exit(1);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Output goes to the log: nothing reads this process's streams any more.
void go_to_background(const char* log) {
  setsid();
  const int nothing = open("/dev/null", O_RDWR);
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  dup2(nothing, STDIN_FILENO);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) dup2(file, stream);
}

pid_t start_qemu(Descriptor port, std::span<char*> qemu) {
  const auto supervisor = getpid();
  const auto child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != supervisor) _exit(1);
  const int inherited = fcntl(port.get(), F_DUPFD, 3);
  auto number = std::to_string(inherited);
  std::vector<std::string> words;
  for (const char* word : qemu) {
    words.emplace_back(word);
    const auto at = words.back().find('@');
    if (words.back().starts_with("socket,") && at != std::string::npos) {
      words.back().replace(at, 1, number);
    }
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(127);
}

// QEMU logs nothing when the virtual machine shuts down or a signal ends it.
void log_how_it_ended(pid_t qemu) {
  kill(qemu, SIGTERM);
  int status = 0;
  waitpid(qemu, &status, 0);
  if (WIFSIGNALED(status))
    std::fprintf(stderr, "QEMU was terminated by signal %d\n", WTERMSIG(status));
  if (WIFEXITED(status)) std::fprintf(stderr, "QEMU exited with code %d\n", WEXITSTATUS(status));
}

int run_background(const SupervisorFiles& files, std::span<char*> qemu,
                   const Descriptor& notification) {
  auto port = make_pair(
      [](int* ends) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0; });
  const auto child = start_qemu(std::move(port.theirs), qemu);
  Multiplexer multiplexer(std::move(port.ours), {});
  if (!multiplexer.greet()) {
    log_how_it_ended(child);
    return 1;
  }
  auto sessions = listen_at(files.sessions);
  auto server = listen_at(files.server);
  if (!sessions || !server) {
    std::perror(files.server);
    return 1;
  }
  multiplexer.listen(std::move(sessions), session_service);
  multiplexer.listen(std::move(server), server_service);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  if (write(notification.get(), &ready, 1) != 1) return 1;
  multiplexer.run();
  return 0;
}

void repeat_log(const char* path) {
  const Descriptor log(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::array<char, 4096> text{};
  const auto count = log ? read(log.get(), text.data(), text.size()) : 0;
  if (count > 0) std::fwrite(text.data(), 1, static_cast<std::size_t>(count), stderr);
}

}  // namespace

int run_supervisor(const SupervisorFiles& files, std::span<char*> qemu) {
  std::signal(SIGPIPE, SIG_IGN);
  umask(private_files);
  auto notification = make_pair([](int* ends) { return pipe2(ends, O_CLOEXEC) == 0; });
  const auto foreground = getpid();
  const auto child = fork();
  if (child == 0) {
    // Until the virtual machine answers, this process and QEMU end with the foreground.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != foreground) _exit(1);
    notification.ours.reset();
    go_to_background(files.log);
    _exit(run_background(files, qemu, notification.theirs));
  }
  notification.theirs.reset();
  char answer = 0;
  while (read(notification.ours.get(), &answer, 1) < 0 && errno == EINTR) {
  }
  if (answer == ready) return 0;
  waitpid(child, nullptr, 0);
  repeat_log(files.log);
  return 1;
}

}  // namespace pgrehearse::agent
