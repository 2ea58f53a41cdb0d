#include "harness/sandbox/shared/host_command.hpp"

#include "harness/process/process_table.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

Command host_command(const HostDirectory& directory, const Command& command) {
  auto outside = command;
  const auto& paths = directory.paths();
  outside.account = directory.account();
  outside.environment[run_label] = directory.entry().run_id;
  outside.environment[root_label] = paths.root.string();
  outside.environment["TMPDIR"] = paths.temporary.string();
  outside.confine_writes_to = {paths.root, "/dev/null", "/dev/zero", "/dev/full", "/dev/tty"};
  return outside;
}

}  // namespace pgrehearse
