#include "harness/serve/spawned_processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/serve/state_file.hpp"

extern char** environ;

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view suffix = ".lock";
// Of the lock in the process of the drill. It has no close-on-exec flag there, but the drill's own
// children inherit only their standard streams.
constexpr int lock_descriptor = 3;

[[noreturn]] void refuse(const std::string& what, int error) {
  throw Error(ErrorKind::environment, fmt::format("cannot start a drill: {}: {}", what,
                                                  std::generic_category().message(error)));
}

class LockFile {
 public:
  explicit LockFile(const std::filesystem::path& file, int flags = 0)
      : fd_(open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600)) {}
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool take() const { return flock(fd_, LOCK_EX | LOCK_NB) == 0; }

 private:
  int fd_;
};

// glibc has no wrapper for ioprio_set(2); the constants are from linux/ioprio.h.
void set_io_class(pid_t pid, IoClass io_class) {
  constexpr int who_process = 1;
  constexpr int class_shift = 13;
  constexpr int best_effort = 2;
  constexpr int idle = 3;
  constexpr int lowest = 7;
  if (io_class == IoClass::normal) return;
  const int value =
      io_class == IoClass::idle ? idle << class_shift : (best_effort << class_shift) | lowest;
  syscall(SYS_ioprio_set, who_process, pid, value);
}

// Attributes and file actions of posix_spawn().
class SpawnSetup {
 public:
  SpawnSetup(int lock, const std::filesystem::path& log) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, lock, lock_descriptor);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  pid_t spawn(const std::filesystem::path& program, std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error =
        posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environ);
    if (error != 0) refuse(program.string(), error);
    return pid;
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

Json json_of(const StartedProcess& entry) {
  return {{"run_id", entry.run_id},
          {"scenario", entry.scenario},
          {"stanza", entry.stanza},
          {"started", to_iso8601(entry.started)},
          {"due", entry.due ? Json(to_iso8601(*entry.due)) : Json()},
          {"memory", entry.demand.memory.count},
          {"disk", entry.demand.disk ? Json(entry.demand.disk->count) : Json()},
          {"directory", entry.demand.directory.string()},
          {"pid", entry.pid},
          {"stopping", entry.stopping}};
}

std::optional<StartedProcess> entry_of(const std::string& text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  try {
    StartedProcess entry{.run_id = json.at("run_id"),
                         .scenario = json.at("scenario"),
                         .stanza = json.at("stanza"),
                         .started = parse_instant(json.at("started").get<std::string>()).value(),
                         .demand = {.memory = {json.at("memory").get<std::uint64_t>()},
                                    .directory = json.at("directory").get<std::string>()},
                         .pid = json.at("pid"),
                         .stopping = json.at("stopping")};
    if (json.at("due").is_string()) entry.due = parse_instant(json["due"].get<std::string>());
    if (json.at("disk").is_number()) entry.demand.disk = Bytes{json["disk"]};
    return entry;
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

SpawnedProcesses::SpawnedProcesses(const std::filesystem::path& state,
                                   std::filesystem::path program, DrillPriority priority)
    : directory_(state / "serve" / "drills"), program_(std::move(program)), priority_(priority) {}

std::filesystem::path SpawnedProcesses::file_of(const std::string& run_id) const {
  return directory_ / (run_id + std::string(suffix));
}

std::filesystem::path SpawnedProcesses::log_of(const std::string& run_id) const {
  return directory_ / (run_id + ".log");
}

// The content has a file of its own: the locked one must not be replaced.
void SpawnedProcesses::save(const StartedProcess& entry) const {
  write_state_file(directory_ / (entry.run_id + ".entry"), json_of(entry).dump() + "\n");
}

pid_t SpawnedProcesses::start(StartedProcess entry, const std::vector<std::string>& arguments) {
  save(entry);
  const LockFile lock(file_of(entry.run_id), O_CREAT);
  if (lock.get() < 0) refuse(file_of(entry.run_id).string(), errno);
  if (!lock.take()) refuse("lock of " + file_of(entry.run_id).string(), errno);
  std::vector<std::string> command{"pgrehearse"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  try {
    entry.pid = SpawnSetup(lock.get(), log_of(entry.run_id)).spawn(program_, std::move(command));
  } catch (const Error&) {
    remove(entry.run_id);
    throw;
  }
  setpriority(PRIO_PROCESS, static_cast<id_t>(entry.pid),
              getpriority(PRIO_PROCESS, 0) + priority_.nice);
  set_io_class(entry.pid, priority_.io_class);
  children_.insert(entry.pid);
  save(entry);
  return entry.pid;
}

void SpawnedProcesses::reap() {
  std::erase_if(children_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
}

std::vector<StartedProcess> SpawnedProcesses::list() {
  reap();
  std::vector<StartedProcess> entries;
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(directory_, failure)) {
    if (file.path().extension() != ".entry") continue;
    const auto text = read_state_file(file.path());
    auto entry = text ? entry_of(*text) : std::nullopt;
    if (!entry || entry->run_id != file.path().stem()) continue;
    const LockFile lock(file_of(entry->run_id));
    entry->running = lock.get() >= 0 && !lock.take();
    entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, {}, &StartedProcess::run_id);
  return entries;
}

void SpawnedProcesses::stop(const std::string& run_id) {
  for (auto& entry : list()) {
    if (entry.run_id != run_id || !entry.running || entry.pid <= 0) continue;
    entry.stopping = true;
    save(entry);
    // It holds the lock, so the process id is still its own.
    kill(entry.pid, SIGTERM);
  }
}

std::string SpawnedProcesses::remove(const std::string& run_id) {
  const auto log = read_state_file(log_of(run_id)).value_or("");
  for (const auto& file : {log_of(run_id), file_of(run_id), directory_ / (run_id + ".entry")}) {
    unlink(file.c_str());
  }
  return log;
}

}  // namespace pgrehearse
