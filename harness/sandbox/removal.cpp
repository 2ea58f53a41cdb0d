#include "harness/sandbox/removal.hpp"

#include <fmt/format.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sstream>

#include "harness/common/error.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// An immediate shutdown of a server takes up to this long.
constexpr auto shutdown_timeout = std::chrono::seconds(5);

struct SharedSegment {
  key_t key = 0;
  int id = 0;
};

std::string text_of(const Account& account, const fs::path& file) {
  try {
    return read_file_of(account, file);
  } catch (const Error&) {
    return {};  // not a regular file
  }
}

// The System V segment that locks a data directory outlives a killed postmaster. Its key and id are
// in line 7 of postmaster.pid.
std::vector<SharedSegment> guarding_segments(const fs::path& root, const Account& account) {
  std::vector<SharedSegment> segments;
  std::error_code gone;
  // Of the restored cluster, and of fresh clusters created to test the sandbox.
  for (fs::recursive_directory_iterator entry(root, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    constexpr int deepest = 2;
    if (entry.depth() >= deepest) entry.disable_recursion_pending();
    if (entry->path().filename() != "postmaster.pid") continue;
    std::istringstream file(text_of(account, entry->path()));
    std::string line;
    for (int number = 1; number < 7; ++number) std::getline(file, line);
    unsigned long key = 0;
    SharedSegment segment;
    if (file >> key >> segment.id) {
      segment.key = static_cast<key_t>(key);
      segments.push_back(segment);
    }
  }
  return segments;
}

// Permissions on a System V segment depend on the effective user, and root in a container has none
// on those of other accounts. The system call changes this thread only, the libc function all
// threads.
class EffectiveUser {
 public:
  explicit EffectiveUser(uid_t user)
      : changed_(geteuid() == 0 && syscall(SYS_setresuid, -1, user, -1) == 0) {}
  EffectiveUser(const EffectiveUser&) = delete;
  EffectiveUser& operator=(const EffectiveUser&) = delete;
  ~EffectiveUser() {
    if (changed_) syscall(SYS_setresuid, -1, 0, -1);
  }

 private:
  bool changed_;
};

bool is_ownerless(const SharedSegment& segment, const Account& account) {
  shmid_ds status{};
  if (shmctl(segment.id, IPC_STAT, &status) != 0) return false;
  return status.shm_perm.__key == segment.key && status.shm_perm.uid == account.uid &&
         status.shm_nattch == 0;
}

void remove_segments(const std::vector<SharedSegment>& segments, const Account& account,
                     Removal& removal) {
  const EffectiveUser as_owner(account.uid);
  for (const auto& segment : segments) {
    if (!is_ownerless(segment, account)) continue;
    const auto name = fmt::format("shared memory segment {}", segment.id);
    const bool gone = shmctl(segment.id, IPC_RMID, nullptr) == 0;
    (gone ? removal.removed : removal.remaining).push_back(name);
  }
}

void remove_shared_files(const std::vector<std::string>& names, const Account& account,
                         Removal& removal) {
  for (const auto& name : names) {
    const auto file = fs::path("/dev/shm") / name;
    struct stat status {};
    if (lstat(file.c_str(), &status) != 0 || status.st_uid != account.uid) continue;
    const bool gone = unlink(file.c_str()) == 0;
    (gone ? removal.removed : removal.remaining).push_back("shared memory " + file.string());
  }
}

void remove_directory(const fs::path& directory, const Account& account, Removal& removal) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(directory, failure))) return;
  // It belongs to this account if the harness was killed before it changed the owner.
  if (!is_directory_of(directory, account) && !is_directory_of(directory, current_account())) {
    removal.remaining.push_back(fmt::format("{} (not a directory owned by account '{}')",
                                            directory.string(), account.name));
    return;
  }
  remove_tree_of(account, directory);
  std::error_code look;
  if (!fs::exists(fs::symlink_status(directory, look))) {
    removal.removed.push_back("directory " + directory.string());
  } else {
    removal.remaining.push_back(
        fmt::format("directory {} (files in it cannot be removed, or were created meanwhile)",
                    directory.string()));
  }
}

std::string describe_process(const ProcessInfo& process) {
  return fmt::format("process {} {}", process.pid, process.name);
}

void end_all(const ProcessMark& mark, Removal& removal) {
  for (const auto& process : end_processes(mark, shutdown_timeout)) {
    removal.removed.push_back(describe_process(process));
  }
  for (const auto& process : processes_with(mark)) {
    removal.remaining.push_back(describe_process(process));
  }
}

}  // namespace

Removal remove_local_sandbox(const RegistryEntry& entry, pid_t spared) {
  Removal removal;
  Account account = current_account();
  try {
    // This process's own account may not be in the password database.
    if (account.name != entry.account) account = find_account(entry.account);
  } catch (const Error& error) {
    removal.remaining.emplace_back(error.what());
    return removal;
  }
  // Only directories named after the run were created by the harness, whatever the entry says.
  if (!entry.root.is_absolute() || entry.root.filename() != entry.run_id) {
    removal.remaining.push_back(
        fmt::format("{} (not a sandbox of run {})", entry.root.string(), entry.run_id));
    return removal;
  }
  ProcessMark mark{.label = fmt::format("{}={}", root_label, entry.root.string()),
                   .directories = {entry.root},
                   .owner = account.uid,
                   .spared = spared};
  if (!entry.sockets.empty()) mark.directories.push_back(entry.sockets);
  // A container has its own shared memory, which is removed with it.
  const bool shares_memory = entry.engine.empty();
  const auto shared_files =
      shares_memory ? shared_memory_files_of(processes_with(mark)) : std::vector<std::string>();
  const auto segments =
      shares_memory ? guarding_segments(entry.root, account) : std::vector<SharedSegment>();
  end_all(mark, removal);
  if (!removal.complete()) return removal;
  remove_segments(segments, account, removal);
  remove_shared_files(shared_files, account, removal);
  remove_directory(entry.root, account, removal);
  if (!entry.sockets.empty()) remove_directory(entry.sockets, account, removal);
  return removal;
}

}  // namespace pgrehearse
