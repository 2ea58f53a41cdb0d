// The program inside virtual machines and containers, carried by pgrehearse itself and linked
// statically: their first process; in a machine its tools too, and on the host its keeper.
#include <unistd.h>

#include <span>
#include <string_view>
#include <vector>

#include "harness/agent/container.hpp"
#include "harness/agent/supervisor.hpp"
#include "harness/agent/tools.hpp"
#include "harness/agent/virtual_machine.hpp"

int main(int count, char** arguments) {
  using namespace pgrehearse::guest;
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  constexpr int in_container = 4;
  if (count == in_container && words[0] == "serve")
    return run_container(arguments[2], arguments[3]);
  if (getpid() == 1) run_machine();
  constexpr int before_machine = 5;
  if (count > before_machine && words[0] == "keep") {
    return run_supervisor({.sessions = arguments[2], .server = arguments[3], .log = arguments[4]},
                          std::span(arguments + before_machine, arguments + count));
  }
  return run_tool(words);
}
