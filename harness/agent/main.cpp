// The agent: a static binary embedded in pgrehearse. It is process 1 of containers and virtual
// machines, runs the file tools in virtual machines, and is the supervisor of QEMU on the host.
#include <unistd.h>

#include <span>
#include <string_view>
#include <vector>

#include "harness/agent/container.hpp"
#include "harness/agent/supervisor.hpp"
#include "harness/agent/tools.hpp"
#include "harness/agent/virtual_machine.hpp"

int main(int count, char** arguments) {
  using namespace pgrehearse::agent;
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  constexpr int in_container = 4;
  if (count == in_container && words[0] == "serve")
    return run_container(arguments[2], arguments[3]);
  if (getpid() == 1) run_virtual_machine();
  constexpr int before_qemu = 5;
  if (count > before_qemu && words[0] == "supervise") {
    return run_supervisor({.sessions = arguments[2], .server = arguments[3], .log = arguments[4]},
                          std::span(arguments + before_qemu, arguments + count));
  }
  return run_tool(words);
}
