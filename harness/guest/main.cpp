// The program inside a virtual machine, carried by pgrehearse itself and linked statically: the
// machine's first process, its tools, and on the host its keeper.
#include <unistd.h>

#include <span>
#include <string_view>
#include <vector>

#include "harness/guest/keeper.hpp"
#include "harness/guest/machine.hpp"
#include "harness/guest/tools.hpp"

int main(int count, char** arguments) {
  using namespace pgrehearse::guest;
  if (getpid() == 1) run_machine();
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  constexpr int before_machine = 5;
  if (count > before_machine && words[0] == "keep") {
    return run_keeper({.sessions = arguments[2], .server = arguments[3], .log = arguments[4]},
                      std::span(arguments + before_machine, arguments + count));
  }
  return run_tool(words);
}
