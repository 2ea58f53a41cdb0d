#include "harness/agent/container.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "harness/agent/session.hpp"
#include "harness/agent/socket.hpp"

namespace pgrehearse::agent {

namespace {

constexpr int decimal = 10;
constexpr mode_t private_files = 077;

// The image's environment: the default for commands.
std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  return all;
}

// False when the container must end.
bool handle_signal(const Descriptor& signals) {
  signalfd_siginfo signal{};
  if (read(signals.get(), &signal, sizeof(signal)) != sizeof(signal)) return true;
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  return signal.ssi_signo == SIGCHLD;
}

}  // namespace

int run_container(const char* socket, const char* lifetime) {
  std::signal(SIGPIPE, SIG_IGN);
  umask(private_files);
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : {SIGCHLD, SIGTERM, SIGALRM}) sigaddset(&handled, signal);
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  const Descriptor signals(signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  unlink(socket);  // left by an earlier start of this container
  const auto sessions = listen_at(socket);
  if (!signals || !sessions) {
    std::perror(socket);
    return 1;
  }
  alarm(static_cast<unsigned>(std::strtoul(lifetime, nullptr, decimal)));
  const SessionSettings settings{.account = {}, .environment = own_environment()};
  while (true) {
    std::array<pollfd, 2> polled{{{signals.get(), POLLIN, 0}, {sessions.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0 && !handle_signal(signals)) return 0;
    if (polled[1].revents != 0) {
      begin_session(Descriptor(accept4(sessions.get(), nullptr, nullptr, SOCK_CLOEXEC)), settings);
    }
  }
}

}  // namespace pgrehearse::agent
