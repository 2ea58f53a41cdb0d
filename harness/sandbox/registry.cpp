#include "harness/sandbox/registry.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/text.hpp"
#include "harness/sandbox/directories.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view schema = "pgrehearse.sandbox/1";
constexpr std::string_view suffix = ".json";
constexpr std::string_view unfinished_suffix = ".json.new";
// Whoever can open a file can lock it.
constexpr mode_t entry_mode = 0600;

[[noreturn]] void throw_for(const std::string& what, int error) {
  throw Error(ErrorKind::environment,
              fmt::format("{}: {}", what, std::generic_category().message(error)),
              "set --state to a directory that this account can write to", FindingCode::env_state);
}

bool is_at(int fd, const fs::path& file) {
  struct stat of_fd {};
  struct stat of_file {};
  return fstat(fd, &of_fd) == 0 && stat(file.c_str(), &of_file) == 0 &&
         of_fd.st_ino == of_file.st_ino && of_fd.st_dev == of_file.st_dev;
}

// Only this account's entries say what is removed, and only their locks say that a drill runs.
bool is_own(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Opens and locks the file that currently has this name: files are replaced while locked, so a lock
// on a replaced file is meaningless. -1 if it does not exist, is not this account's, or is locked.
int open_locked(const fs::path& file, int operation) {
  while (true) {
    const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    if (!is_own(fd)) {
      close(fd);
      return -1;
    }
    const bool locked = flock(fd, operation | LOCK_NB) == 0;
    const bool current = is_at(fd, file);
    if (locked && current) return fd;
    close(fd);
    if (current) return -1;
  }
}

// A new locked file with its temporary name.
int make_locked(const fs::path& file, const std::string& content) {
  const int fd =
      open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, entry_mode);
  if (fd < 0) throw_for("cannot write '" + file.string() + "'", errno);
  const bool written =
      flock(fd, LOCK_EX | LOCK_NB) == 0 &&
      write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  if (written) return fd;
  const int error = errno;
  close(fd);
  unlink(file.c_str());
  throw_for("cannot write '" + file.string() + "'", error);
}

// Empty unless the file is this account's.
std::string text_of_entry(const fs::path& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  std::string text;
  constexpr std::size_t longest = std::size_t{1} << 16;
  std::array<char, 4096> buffer{};
  if (fd >= 0 && is_own(fd)) {
    for (auto length = read(fd, buffer.data(), buffer.size()); length > 0 && text.size() < longest;
         length = read(fd, buffer.data(), buffer.size())) {
      text.append(buffer.data(), static_cast<std::size_t>(length));
    }
  }
  if (fd >= 0) close(fd);
  return text;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::string to_json(const RegistryEntry& entry) {
  const nlohmann::ordered_json json{
      {"schema", schema},
      {"run_id", entry.run_id},
      {"type", entry.type},
      {"scenario", entry.scenario},
      {"created", entry.created},
      {"host", entry.host},
      {"boot_id", entry.boot_id},
      {"account", entry.account},
      {"engine", entry.engine},
      {"root", entry.root.string()},
      {"sockets", entry.sockets.string()},
      {"kept", entry.kept},
      {"expires", entry.expires},
  };
  // File and scenario names may have any encoding.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<RegistryEntry> entry_from_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  const auto read = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (read("schema") != schema || read("run_id").empty()) return {};
  const auto kept = json.find("kept");
  return RegistryEntry{.run_id = read("run_id"),
                       .type = read("type"),
                       .scenario = read("scenario"),
                       .created = read("created"),
                       .host = read("host"),
                       .boot_id = read("boot_id"),
                       .account = read("account"),
                       .engine = read("engine"),
                       .root = read("root"),
                       .sockets = read("sockets"),
                       .kept = kept != json.end() && kept->is_boolean() && kept->get<bool>(),
                       .expires = read("expires")};
}

OwnedEntry::~OwnedEntry() {
  if (fd_ >= 0) close(fd_);
}

void OwnedEntry::write(const RegistryEntry& entry) {
  auto unfinished = file_;
  unfinished += ".new";
  const int fd = make_locked(unfinished, to_json(entry));
  if (rename(unfinished.c_str(), file_.c_str()) != 0) {
    const int error = errno;
    close(fd);
    unlink(unfinished.c_str());
    throw_for("cannot replace '" + file_.string() + "'", error);
  }
  close(std::exchange(fd_, fd));
}

void OwnedEntry::remove() {
  if (fd_ < 0) return;
  unlink(file_.c_str());
  close(std::exchange(fd_, -1));
}

Registry::Registry(const fs::path& state) : directory_(fs::absolute(state) / "sandboxes") {}

OwnedEntry Registry::publish(const RegistryEntry& entry) const {
  require_trusted(directory_);
  make_open_directories(directory_);
  remove_unfinished();
  const auto file = directory_ / (entry.run_id + std::string(suffix));
  const auto unfinished = directory_ / (entry.run_id + std::string(unfinished_suffix));
  const int fd = make_locked(unfinished, to_json(entry));
  // link() fails if the name exists; rename() would replace the file.
  const bool named = link(unfinished.c_str(), file.c_str()) == 0;
  const int error = errno;
  unlink(unfinished.c_str());
  if (named) return {file, fd};
  close(fd);
  throw_for("cannot register the run as '" + file.string() + "'", error);
}

std::vector<Registry::Listed> Registry::list() const {
  require_trusted(directory_);
  std::vector<Listed> listed;
  std::error_code missing;
  for (const auto& file : fs::directory_iterator(directory_, missing)) {
    if (file.path().extension() != suffix) continue;
    auto entry = entry_from_json(text_of_entry(file.path()));
    if (!entry || entry->run_id + std::string(suffix) != file.path().filename()) continue;
    if (entry->host != host_name() && entry->boot_id != boot_id()) continue;
    const int fd = open_locked(file.path(), LOCK_SH);
    const bool alive = fd < 0;
    if (fd >= 0) close(fd);
    std::error_code gone;
    if (alive && !fs::exists(file.path(), gone)) continue;
    listed.push_back({.entry = std::move(*entry), .alive = alive});
  }
  std::sort(listed.begin(), listed.end(), [](const auto& left, const auto& right) {
    return left.entry.run_id < right.entry.run_id;
  });
  return listed;
}

std::optional<OwnedEntry> Registry::take(const std::string& run_id) const {
  require_trusted(directory_);
  auto file = directory_ / (run_id + std::string(suffix));
  const int fd = open_locked(file, LOCK_EX);
  if (fd < 0) return {};
  return OwnedEntry(std::move(file), fd);
}

std::optional<RegistryEntry> Registry::find(const std::string& run_id) const {
  return entry_from_json(text_of_entry(directory_ / (run_id + std::string(suffix))));
}

void Registry::remove_unfinished() const {
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(directory_, ignored)) {
    if (!file.path().string().ends_with(unfinished_suffix)) continue;
    // Its creator may not have locked a new one yet.
    const auto age = fs::file_time_type::clock::now() - fs::last_write_time(file.path(), ignored);
    if (ignored || age < std::chrono::minutes(1)) continue;
    const int fd = open_locked(file.path(), LOCK_EX);
    if (fd < 0) continue;
    unlink(file.path().c_str());
    close(fd);
  }
}

std::string boot_id() { return std::string(trim(text_of("/proc/sys/kernel/random/boot_id"))); }

}  // namespace pgrehearse
