#include "harness/copies/clone.hpp"

#include "harness/drill/recovery/recovery.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

void start_clone(Sandbox& clone, const std::stop_token& stop) {
  const auto& paths = clone.paths();
  clone.write_file(paths.configuration / "archive-get",
                   "# restore_command until the copy is advanced: there is no WAL\nexit 1\n");
  Instance instance(clone, "/dev/null");
  instance.configure(recovery_quarantine(clone, {.type = TargetType::latest},
                                         read_control_data(clone, paths.data, stop)));
  instance.leave_running();
  clone.keep();
}

}  // namespace pgrehearse
