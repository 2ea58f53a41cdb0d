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

namespace pgrehearse::guest {

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

// Whatever was said is in the log: nobody waits for this process's streams.
void go_to_background(const char* log) {
  setsid();
  const int nothing = open("/dev/null", O_RDWR);
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  dup2(nothing, STDIN_FILENO);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) dup2(file, stream);
}

pid_t start_machine(Descriptor port, std::span<char*> machine) {
  const auto keeper = getpid();
  const auto child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != keeper) _exit(1);
  const int inherited = fcntl(port.get(), F_DUPFD, 3);
  auto number = std::to_string(inherited);
  std::vector<std::string> words;
  for (const char* word : machine) {
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

// QEMU itself says nothing when the machine ends or a signal ends it.
void say_how_it_ended(pid_t machine) {
  kill(machine, SIGTERM);
  int status = 0;
  waitpid(machine, &status, 0);
  if (WIFSIGNALED(status)) std::fprintf(stderr, "QEMU was ended by signal %d\n", WTERMSIG(status));
  if (WIFEXITED(status))
    std::fprintf(stderr, "QEMU ended with exit code %d\n", WEXITSTATUS(status));
}

int run_background(const SupervisorFiles& files, std::span<char*> machine,
                   const Descriptor& telling) {
  auto line = make_pair(
      [](int* ends) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0; });
  const auto child = start_machine(std::move(line.theirs), machine);
  Multiplexer multiplexer(std::move(line.ours), {});
  if (!multiplexer.greet()) {
    say_how_it_ended(child);
    return 1;
  }
  auto sessions = listening_socket(files.sessions);
  auto server = listening_socket(files.server);
  if (!sessions || !server) {
    std::perror(files.server);
    return 1;
  }
  multiplexer.listen(std::move(sessions), session_service);
  multiplexer.listen(std::move(server), server_service);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  if (write(telling.get(), &ready, 1) != 1) return 1;
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

int run_supervisor(const SupervisorFiles& files, std::span<char*> machine) {
  std::signal(SIGPIPE, SIG_IGN);
  umask(private_files);
  auto news = make_pair([](int* ends) { return pipe2(ends, O_CLOEXEC) == 0; });
  const auto foreground = getpid();
  const auto child = fork();
  if (child == 0) {
    // Until the machine answers, an impatient or killed harness ends all of it.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != foreground) _exit(1);
    news.ours.reset();
    go_to_background(files.log);
    _exit(run_background(files, machine, news.theirs));
  }
  news.theirs.reset();
  char said = 0;
  while (read(news.ours.get(), &said, 1) < 0 && errno == EINTR) {
  }
  if (said == ready) return 0;
  waitpid(child, nullptr, 0);
  repeat_log(files.log);
  return 1;
}

}  // namespace pgrehearse::guest
