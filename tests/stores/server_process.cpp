#include "tests/stores/server_process.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "tests/fakes/network_trap.hpp"

namespace pgrehearse {

namespace {

bool answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return connected;
}

}  // namespace

int free_port() { return NetworkTrap().port(); }

ServerProcess::ServerProcess(CommandRunner& runner, Command command, int port) {
  command.timeout = std::chrono::hours(2);
  thread_ = std::jthread([this, &runner, command](const std::stop_token& stop) {
    result_ = runner.run(command, stop);
    ended_ = true;
  });
  const auto name = std::filesystem::path(command.program).filename().native();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!answers(port)) {
    if (ended_) throw std::runtime_error(name + ": " + result_.output + result_.error_output);
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(name + " does not answer");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace pgrehearse
