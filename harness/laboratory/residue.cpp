#include "harness/laboratory/residue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool has_label(const std::filesystem::path& process, const std::string& label) {
  const auto environment = content_of(process / "environ");
  const auto variables = split(environment, '\0');
  return std::find(variables.begin(), variables.end(), label) != variables.end();
}

// PostgreSQL's processes write their titles over their environment, but all work in PGDATA.
bool serves(const std::filesystem::path& process, const std::filesystem::path& data) {
  std::error_code failure;
  return trim(content_of(process / "comm")) == "postgres" &&
         std::filesystem::read_symlink(process / "cwd", failure) == data;
}

// "123 (name with ) in it) S ..."
bool is_zombie(const std::string& stat) {
  const auto end = stat.rfind(')');
  return end == std::string::npos || stat.substr(end + 2, 1) == "Z";
}

}  // namespace

OwnerLock::OwnerLock(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(descriptor_, -1));
  }
}

OwnerLock::~OwnerLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<FoundProcess> find_processes(const std::filesystem::path& data,
                                         const std::string& label) {
  std::vector<FoundProcess> found;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failure)) {
    const auto name = entry.path().filename().native();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size() || pid == getpid()) continue;
    if (!serves(entry.path(), data) && !has_label(entry.path(), label)) continue;
    if (is_zombie(content_of(entry.path() / "stat"))) continue;
    found.push_back({.pid = pid, .name = std::string(trim(content_of(entry.path() / "comm")))});
  }
  return found;
}

namespace {

constexpr auto time_to_die = std::chrono::seconds(20);

// Kills until nothing is found or the time is over; returns all that it killed.
std::vector<FoundProcess> end_processes(const std::filesystem::path& data,
                                        const std::string& label) {
  std::vector<FoundProcess> ended;
  const auto deadline = std::chrono::steady_clock::now() + time_to_die;
  while (true) {
    const auto found = find_processes(data, label);
    for (const auto& process : found) {
      kill(process.pid, SIGKILL);
      const bool known = std::any_of(ended.begin(), ended.end(),
                                     [&](const auto& e) { return e.pid == process.pid; });
      if (!known) ended.push_back(process);
    }
    if (found.empty() || std::chrono::steady_clock::now() > deadline) return ended;
    // Looks again for what was being forked meanwhile, and until the killed ones are gone.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

Removal remove_residue(const LaboratoryPaths& paths, const std::string& id) {
  const auto label = "PGREHEARSE_LAB=" + id;
  Removal removal;
  for (const auto& process : end_processes(paths.data, label)) {
    removal.removed.push_back(fmt::format("process {} {}", process.pid, process.name));
  }
  for (const auto& directory : {paths.sockets, paths.root}) {
    std::error_code failure;
    if (!std::filesystem::exists(directory, failure)) continue;
    std::filesystem::remove_all(directory, failure);
    removal.removed.push_back("directory " + directory.native());
    if (std::filesystem::exists(directory, failure)) {
      removal.remaining.push_back("directory " + directory.native());
    }
  }
  for (const auto& process : find_processes(paths.data, label)) {
    removal.remaining.push_back(fmt::format("process {} {}", process.pid, process.name));
  }
  return removal;
}

}  // namespace pgrehearse
