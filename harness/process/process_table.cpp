#include "harness/process/process_table.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string text_of(const fs::path& file) {
  try {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  } catch (const std::ios_base::failure&) {
    return {};  // the process ended while its file was read
  }
}

fs::path directory_of(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

std::optional<ProcessInfo> read_process(pid_t pid) {
  const auto stat_line = text_of(directory_of(pid) / "stat");
  // The name is in parentheses and may contain any character, including parentheses.
  const auto open = stat_line.find('(');
  const auto close = stat_line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  struct stat status {};
  if (stat(directory_of(pid).c_str(), &status) != 0) return {};
  ProcessInfo process{.pid = pid,
                      .name = stat_line.substr(open + 1, close - open - 1),
                      .owner = status.st_uid,
                      .owner_group = status.st_gid};
  std::istringstream fields(stat_line.substr(close + 1));
  fields >> process.state >> process.parent >> process.group >> process.session >> process.terminal;
  std::string skipped;
  for (int field = 8; field < 22; ++field) fields >> skipped;
  fields >> process.started;
  if (!fields) return {};
  return process;
}

std::set<pid_t> this_process_and_its_ancestors(const std::vector<ProcessInfo>& processes) {
  std::set<pid_t> line;
  pid_t pid = getpid();
  while (pid > 0 && line.insert(pid).second) {
    const auto found = std::find_if(processes.begin(), processes.end(),
                                    [pid](const auto& process) { return process.pid == pid; });
    if (found == processes.end()) break;
    pid = found->parent;
  }
  return line;
}

bool is_below(const std::string& path, const fs::path& directory) {
  const auto& top = directory.native();
  // The kernel marks the removed working directory of a process.
  return path == top || path == top + " (deleted)" || path.starts_with(top + "/");
}

bool works_below(const ProcessInfo& process, const ProcessMark& mark) {
  if (process.owner != mark.owner) return false;
  const ActingAccount as_owner(owner_of(process));
  std::error_code ended;
  const auto directory = fs::read_symlink(directory_of(process.pid) / "cwd", ended).string();
  const bool below = std::any_of(mark.directories.begin(), mark.directories.end(),
                                 [&](const auto& top) { return is_below(directory, top); });
  return below && (process.terminal == 0 || process.name == "postgres");
}

bool carries_label(const ProcessInfo& process, const std::string& label) {
  const ActingAccount as_owner(owner_of(process));
  const auto environment = text_of(directory_of(process.pid) / "environ");
  const auto entries = split(environment, '\0');
  return std::find(entries.begin(), entries.end(), label) != entries.end();
}

bool can_gain_no_privileges(const ProcessInfo& process) {
  const auto status = text_of(directory_of(process.pid) / "status");
  return status.find("\nNoNewPrivs:\t1\n") != std::string::npos;
}

// A command runner's own children lead a group in this session.
bool is_adopted(const ProcessInfo& process) {
  return process.parent == getpid() &&
         !(process.session == getsid(0) && process.group == process.pid);
}

// A process of another sandbox has that one's label, or is a server in its own data directory.
bool has_dropped_its_label(const ProcessInfo& process, const ProcessMark& mark) {
  if (process.owner != mark.owner || !is_adopted(process)) return false;
  if (!can_gain_no_privileges(process)) return false;
  const auto name = mark.label.substr(0, mark.label.find('=') + 1);
  const ActingAccount as_owner(owner_of(process));
  const auto environment = text_of(directory_of(process.pid) / "environ");
  std::error_code ended;
  // A process that is ending has no environment any more, and no program.
  if (fs::read_symlink(directory_of(process.pid) / "exe", ended).empty()) return false;
  return environment.find(name) == std::string::npos &&
         !fs::exists(directory_of(process.pid) / "cwd" / "PG_VERSION", ended);
}

// A pidfd: a signal sent through it cannot reach another process that reuses the pid.
class ProcessHandle {
 public:
  explicit ProcessHandle(const ProcessInfo& process)
      : process_(process), fd_(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0))) {}
  ProcessHandle(ProcessHandle&& other) noexcept
      : process_(std::move(other.process_)), fd_(std::exchange(other.fd_, -1)) {}
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;
  ProcessHandle& operator=(ProcessHandle&&) = delete;
  ~ProcessHandle() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] bool alive() const {
    const auto now = read_process(process_.pid);
    return now && now->started == process_.started && now->alive();
  }

  void send(int signal) const {
    if (!alive()) return;
    // Kernels before 5.3 have no pidfd.
    if (fd_ < 0) {
      kill(process_.pid, signal);
    } else {
      syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0);
    }
  }

  // Returns when the process has ended, reaped or not, or at the deadline.
  void wait_until(Clock::time_point deadline) const {
    while (alive() && Clock::now() < deadline) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd event{.fd = fd_, .events = POLLIN, .revents = 0};
      constexpr long long without_descriptor = 10;
      const auto span = fd_ < 0 ? std::min<long long>(left, without_descriptor) : left;
      poll(&event, 1, static_cast<int>(std::max<long long>(span, 1)));
    }
  }

 private:
  ProcessInfo process_;
  int fd_;
};

template <typename ChooseSignal>
void signal_and_wait(std::span<const ProcessInfo> processes, ChooseSignal choose,
                     Clock::time_point deadline) {
  std::vector<ProcessHandle> handles;
  handles.reserve(processes.size());
  for (const auto& process : processes) {
    handles.emplace_back(process);
    handles.back().send(choose(process));
  }
  for (const auto& handle : handles) handle.wait_until(deadline);
}

}  // namespace

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> processes;
  // Processes end while the list is read: that must not throw.
  std::error_code failed;
  for (fs::directory_iterator entry("/proc", failed), end_of_list; !failed && entry != end_of_list;
       entry.increment(failed)) {
    const auto name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failure != std::errc{} || end != name.data() + name.size()) continue;
    if (auto process = read_process(pid)) processes.push_back(std::move(*process));
  }
  return processes;
}

Account owner_of(const ProcessInfo& process) {
  return {.uid = process.owner, .gid = process.owner_group, .groups = {process.owner_group}};
}

std::vector<ProcessInfo> processes_with(const ProcessMark& mark) {
  const auto processes = all_processes();
  auto spared = this_process_and_its_ancestors(processes);
  if (mark.spared != 0) spared.insert(mark.spared);
  std::set<pid_t> found;
  for (const auto& process : processes) {
    if (!process.alive() || spared.contains(process.pid)) continue;
    if (carries_label(process, mark.label) || works_below(process, mark) ||
        has_dropped_its_label(process, mark)) {
      found.insert(process.pid);
    }
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& process : processes) {
      if (!process.alive() || spared.contains(process.pid)) continue;
      const bool child_of_spared = mark.spared != 0 && process.parent == mark.spared;
      if (child_of_spared || found.contains(process.parent))
        grew |= found.insert(process.pid).second;
    }
  }
  std::vector<ProcessInfo> result;
  std::copy_if(processes.begin(), processes.end(), std::back_inserter(result),
               [&](const auto& process) { return found.contains(process.pid); });
  return result;
}

std::vector<ProcessInfo> end_processes(const ProcessMark& mark, std::chrono::milliseconds timeout) {
  auto ended = processes_with(mark);
  if (ended.empty()) return ended;
  signal_and_wait(
      ended, [](const auto& process) { return process.name == "postgres" ? SIGQUIT : SIGTERM; },
      Clock::now() + timeout);
  const auto deadline = Clock::now() + std::chrono::seconds(5);
  for (auto left = processes_with(mark); !left.empty() && Clock::now() < deadline;
       left = processes_with(mark)) {
    signal_and_wait(
        left, [](const auto&) { return SIGKILL; }, deadline);
    for (auto& process : left) {
      const bool known = std::any_of(ended.begin(), ended.end(), [&](const auto& other) {
        return other.pid == process.pid && other.started == process.started;
      });
      if (!known) ended.push_back(std::move(process));
    }
  }
  reap_adopted_children();
  return ended;
}

void reap_adopted_children() {
  for (const auto& process : all_processes()) {
    // A command runner waits for its own children itself.
    if (process.state == 'Z' && is_adopted(process)) waitpid(process.pid, nullptr, WNOHANG);
  }
}

std::vector<std::string> shared_memory_files_of(std::span<const ProcessInfo> processes) {
  constexpr std::string_view prefix = "/dev/shm/";
  std::set<std::string> names;
  for (const auto& process : processes) {
    const ActingAccount as_owner(owner_of(process));
    const auto maps = text_of(directory_of(process.pid) / "maps");
    for (const auto line : lines_of(maps)) {
      const auto at = line.find(prefix);
      if (at == std::string_view::npos || line.ends_with(" (deleted)")) continue;
      const auto name = line.substr(at + prefix.size());
      if (name.starts_with("PostgreSQL.")) names.emplace(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace pgrehearse
