#include "harness/process/child_setup.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "harness/process/confinement.hpp"
#include "harness/process/isolation.hpp"

namespace pgrehearse {

namespace {

// Kernels before 5.11 have no CLOSE_RANGE_CLOEXEC.
bool inherit_no_descriptor() noexcept {
  constexpr unsigned int first = 3;
  if (close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return true;
  if (errno != ENOSYS && errno != EINVAL) return false;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  for (rlim_t fd = first; fd < limit.rlim_cur; ++fd) {
    // Most are not open.
    fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
  }
  return true;
}

}  // namespace

ChildSetup::ChildSetup(const Command& command, const std::vector<std::string>& environment,
                       int confinement)
    : command_(command), confinement_(confinement), parent_(getpid()) {
  for (const auto& entry : environment) environment_.push_back(entry.c_str());
  environment_.push_back(nullptr);
}

int ChildSetup::isolate() const noexcept {
  if (!command_.isolation) return 0;
  if (const int error = enter_isolation(*command_.isolation, confinement_); error != 0) {
    return error;
  }
  if (!command_.isolation->processes) return 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent_) return ESRCH;
  return enter_process_namespace(command_.isolation->memory);
}

int ChildSetup::apply() const noexcept {
  if (setpgid(0, 0) != 0) return errno;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT}) ::signal(signal, SIG_DFL);
  umask(077);
  if (const int error = isolate(); error != 0) return error;
  if (command_.account && geteuid() == 0) {
    const auto& account = *command_.account;
    if (setgroups(account.groups.size(), account.groups.data()) != 0) return errno;
    if (setgid(account.gid) != 0 || setuid(account.uid) != 0) return errno;
  }
  if (chdir(command_.working_directory.c_str()) != 0) return errno;
  // After setuid(), which clears it. The parent may have ended before; then its pid has changed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const bool own_processes = command_.isolation && command_.isolation->processes;
  if (!own_processes && getppid() != parent_) return ESRCH;
  // Boost 1.81 does not close every descriptor. Its status pipe closes on exec anyway.
  if (!inherit_no_descriptor()) return errno;
  if (confinement_ >= 0) return WriteConfinement::apply(confinement_);
  // By this, processes that drop their label are found, also where the kernel has no Landlock.
  if (!command_.confine_writes_to.empty() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return errno;
  }
  return 0;
}

}  // namespace pgrehearse
