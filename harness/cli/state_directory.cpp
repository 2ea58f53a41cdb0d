#include "harness/cli/state_directory.hpp"

#include <cstdlib>
#include <system_error>

#include "harness/common/shell_words.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

std::filesystem::path resolve_state_directory(const std::filesystem::path& stated) {
  if (!stated.empty()) return std::filesystem::absolute(stated).lexically_normal();
  const Account account = current_account();
  if (account.uid == 0 || account.name == "postgres") return "/var/lib/pgrehearse";
  // The XDG specification requires a relative $XDG_STATE_HOME to be ignored.
  const char* xdg = std::getenv("XDG_STATE_HOME");
  if (xdg != nullptr && *xdg == '/') return std::filesystem::path(xdg) / "pgrehearse";
  // HOME of another account's environment, or of a container, may not exist.
  const char* home = std::getenv("HOME");
  std::error_code failure;
  const bool exists =
      home != nullptr && *home == '/' && std::filesystem::is_directory(home, failure);
  return (exists ? std::filesystem::path(home) : account.home) / ".local/state/pgrehearse";
}

std::string state_option(const std::filesystem::path& state) {
  if (state == resolve_state_directory({})) return {};
  return " --state " + shell_word(state.native());
}

}  // namespace pgrehearse
