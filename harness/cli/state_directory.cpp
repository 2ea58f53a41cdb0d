#include "harness/cli/state_directory.hpp"

#include <cstdlib>

#include "harness/process/command.hpp"

namespace pgrehearse {

std::filesystem::path resolve_state_directory(const std::filesystem::path& stated) {
  if (!stated.empty()) return std::filesystem::absolute(stated).lexically_normal();
  const Account account = current_account();
  if (account.uid == 0 || account.name == "postgres") return "/var/lib/pgrehearse";
  // The XDG specification requires a relative $XDG_STATE_HOME to be ignored.
  const char* xdg = std::getenv("XDG_STATE_HOME");
  if (xdg != nullptr && *xdg == '/') return std::filesystem::path(xdg) / "pgrehearse";
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      home != nullptr && *home == '/' ? std::filesystem::path(home) : account.home;
  return base / ".local/state/pgrehearse";
}

}  // namespace pgrehearse
