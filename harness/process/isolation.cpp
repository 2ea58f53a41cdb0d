#include "harness/process/isolation.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include "harness/process/confinement.hpp"

namespace pgrehearse {

namespace {

constexpr const char* shared_memory = "/dev/shm";

// PostgreSQL before 15 sends its statistics to itself through the loopback interface. Without the
// right to do this it runs without statistics.
void raise_loopback() noexcept {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  close(fd);
}

int own_network() noexcept {
  if (unshare(CLONE_NEWNET) != 0) return errno;
  raise_loopback();
  return 0;
}

int own_memory() noexcept {
  if (unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0) return errno;
  // Nothing mounted here may appear on the host.
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ? 0 : errno;
}

int own_shared_memory(int ruleset) noexcept {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("tmpfs", shared_memory, "tmpfs", flags, "mode=1777") != 0) return errno;
  return ruleset < 0 ? 0 : WriteConfinement::allow(ruleset, shared_memory);
}

int try_memory() noexcept {
  const int error = own_memory();
  return error != 0 ? error : own_shared_memory(-1);
}

int hide(const char* path) noexcept {
  struct stat status {};
  if (stat(path, &status) != 0) return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
  constexpr unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const int result = S_ISDIR(status.st_mode)
                         ? mount("tmpfs", path, "tmpfs", flags, "mode=0555,size=4k")
                         : mount("/dev/null", path, nullptr, MS_BIND, nullptr);
  return result == 0 ? 0 : errno;
}

int own_processes() noexcept { return unshare(CLONE_NEWPID) == 0 ? 0 : errno; }

// The system call: fork() calls handlers that are not async-signal-safe.
pid_t fork_child() noexcept { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

// The parent waits for the end of its pipes, which the command alone shall hold open.
void close_descriptors() noexcept {
  if (close_range(0, ~0U, 0) == 0) return;
  constexpr int usual_limit = 1024;
  for (int fd = 0; fd < usual_limit; ++fd) close(fd);
}

constexpr int signal_base = 128;

[[noreturn]] void end_like(int status) noexcept {
  const int signal = WIFSIGNALED(status)                  ? WTERMSIG(status)
                     : WEXITSTATUS(status) >= signal_base ? WEXITSTATUS(status) - signal_base
                                                          : 0;
  if (signal == 0) _exit(WEXITSTATUS(status));
  const rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  ::signal(signal, SIG_DFL);
  kill(getpid(), signal);
  _exit(signal_base + signal);
}

[[noreturn]] void wait_outside(pid_t first_process) noexcept {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    ::signal(signal, SIG_IGN);
  }
  close_descriptors();
  int status = 0;
  while (waitpid(first_process, &status, 0) < 0 && errno == EINTR) {
  }
  end_like(status);
}

// The kernel ends all other processes of the namespace with the first. The default action of
// signals does not apply to it.
[[noreturn]] void reap_until(pid_t command) noexcept {
  close_descriptors();
  while (true) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno != EINTR) _exit(1);
    if (ended != command) continue;
    _exit(WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

// unshare() applies to the calling thread only.
int in_a_thread(int (*enter)() noexcept) {
  int error = 0;
  std::thread([&error, enter] { error = enter(); }).join();
  return error;
}

}  // namespace

AvailableIsolation available_isolation() {
  AvailableIsolation available;
  const auto allows = [&](const char* name, int (*enter)() noexcept) {
    const int error = in_a_thread(enter);
    if (error != 0) {
      available.missing.push_back(std::string(name) + " (" +
                                  std::generic_category().message(error) + ")");
    }
    return error == 0;
  };
  available.means.network = allows("network namespace", own_network);
  available.means.memory = allows("IPC and mount namespaces", try_memory);
  available.means.processes = allows("PID namespace", own_processes);
  return available;
}

int enter_isolation(const Isolation& isolation, int ruleset) noexcept {
  if (isolation.network) {
    if (const int error = own_network(); error != 0) return error;
  }
  if (!isolation.memory) return 0;
  if (const int error = own_memory(); error != 0) return error;
  for (const auto& path : isolation.hidden) {
    const bool memory = std::strcmp(path.c_str(), shared_memory) == 0;
    const int error = memory ? own_shared_memory(ruleset) : hide(path.c_str());
    if (error != 0) return error;
  }
  return 0;
}

int enter_process_namespace(bool own_proc) noexcept {
  if (const int error = own_processes(); error != 0) return error;
  const pid_t first = fork_child();
  if (first < 0) return errno;
  if (first > 0) wait_outside(first);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The dynamic linker needs it for libraries next to a binary. Where it cannot be mounted, what
  // hides the host's stays.
  if (own_proc) mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const pid_t command = fork_child();
  if (command < 0) return errno;
  if (command > 0) reap_until(command);
  return 0;
}

}  // namespace pgrehearse
