#include "harness/process/child_setup.hpp"

#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "harness/process/confinement.hpp"

namespace pgrehearse {

ChildSetup::ChildSetup(const Command& command, const std::vector<std::string>& environment,
                       int confinement)
    : command_(command), confinement_(confinement), parent_(getpid()) {
  for (const auto& entry : environment) environment_.push_back(entry.c_str());
  environment_.push_back(nullptr);
}

int ChildSetup::apply() const noexcept {
  if (setpgid(0, 0) != 0) return errno;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
  umask(077);
  if (command_.account && geteuid() == 0) {
    const auto& account = *command_.account;
    if (setgroups(account.groups.size(), account.groups.data()) != 0) return errno;
    if (setgid(account.gid) != 0 || setuid(account.uid) != 0) return errno;
  }
  if (chdir(command_.working_directory.c_str()) != 0) return errno;
  // After setuid(), which clears it. The parent may have ended before; then its pid has changed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent_) return ESRCH;
  // Boost 1.81 does not close every descriptor. Its status pipe closes on exec anyway.
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
  return confinement_ >= 0 ? WriteConfinement::apply(confinement_) : 0;
}

}  // namespace pgrehearse
