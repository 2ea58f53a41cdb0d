#include "harness/agent/virtual_machine.hpp"

#include <fcntl.h>
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/agent/file_systems.hpp"
#include "harness/agent/multiplexer.hpp"
#include "harness/agent/services.hpp"
#include "harness/agent/session.hpp"

namespace pgrehearse::agent {

namespace {

constexpr int decimal = 10;

[[noreturn]] void shut_down() {
  sync();
  reboot(LINUX_REBOOT_CMD_RESTART);  // QEMU runs with -no-reboot
  _exit(1);
}

std::uint32_t number_of(const std::string& text) {
  return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, decimal));
}

AgentAccount account_of(const Settings& settings) {
  AgentAccount account;
  for (const auto& [key, value] : settings) {
    if (key == "uid") account.uid = number_of(value);
    if (key == "gid") account.gid = number_of(value);
    if (key == "group") account.groups.push_back(number_of(value));
  }
  return account;
}

void reap_children() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

void serve(Descriptor port, const Settings& settings) {
  const auto account = account_of(settings);
  const auto server = value_of(settings, "sockets") + "/.s.PGSQL.5432";
  Multiplexer multiplexer(std::move(port), [account, server](char service) {
    return service == session_service ? begin_session({.account = account, .environment = {}})
                                      : connect_to_server(account, server.c_str());
  });
  multiplexer.tolerate_reconnects();
  multiplexer.on_wake(reap_children);
  multiplexer.run();
}

}  // namespace

void run_virtual_machine() {
  std::signal(SIGPIPE, SIG_IGN);
  // A handler makes SIGCHLD interrupt poll().
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  sigaction(SIGCHLD, &wake, nullptr);
  struct sigaction over {};
  over.sa_handler = [](int) { shut_down(); };
  sigaction(SIGALRM, &over, nullptr);
  try {
    const auto settings = prepare_virtual_machine();
    alarm(number_of(value_of(settings, "lifetime")));
    Descriptor port = open_port();
    std::printf("pgrehearse: ready\n");
    std::fflush(stdout);
    serve(std::move(port), settings);
  } catch (const Failure& failure) {
    std::printf("pgrehearse: %s: %s\n", failure.what.c_str(), std::strerror(failure.error));
  }
  std::fflush(stdout);
  shut_down();
}

}  // namespace pgrehearse::agent
