#include "harness/sandbox/sandbox_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_for(const std::string& what, const fs::path& path, int error) {
  throw Error(
      ErrorKind::environment,
      fmt::format("{} '{}': {}", what, path.string(), std::generic_category().message(error)),
      error == ENOSPC ? "free space in the file system of the sandbox" : "", FindingCode::env_file,
      path.string());
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_ordinary() const {
    struct stat status {};
    return fd_ >= 0 && fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  }
  [[nodiscard]] std::uint64_t size() const {
    struct stat status {};
    return fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }
  // Closes `fd` and returns the error: close() may report what write() did not.
  int finish() { return close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
};

// Nonblocking: opening a pipe must not wait for a writer.
int open_to_read(const fs::path& path) {
  return open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

// Calls `take` with each piece; returns 0 or an errno.
template <typename Take>
int read_from(int fd, std::uint64_t offset, Take take) {
  std::array<char, std::size_t{1} << 16> buffer{};
  while (true) {
    const auto length = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno;
    if (length == 0) return 0;
    take(std::string_view(buffer.data(), static_cast<std::size_t>(length)));
    offset += static_cast<std::uint64_t>(length);
  }
}

int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto length = write(fd, content.data(), content.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(length));
  }
  return 0;
}

struct NamedFile {
  fs::path path;
  std::uint64_t size = 0;
};

// One directory at a time: a recursive iterator ends when a directory vanishes under it.
std::vector<NamedFile> files_below(const fs::path& top) {
  std::vector<NamedFile> files;
  std::vector<fs::path> directories;
  const auto look_at = [&](const fs::path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return;
    if (S_ISDIR(status.st_mode)) directories.push_back(path);
    if (S_ISREG(status.st_mode)) {
      files.push_back({.path = path, .size = static_cast<std::uint64_t>(status.st_size)});
    }
  };
  look_at(top);
  while (!directories.empty()) {
    const auto directory = std::move(directories.back());
    directories.pop_back();
    std::error_code gone;
    for (fs::directory_iterator entry(directory, gone), end; !gone && entry != end;
         entry.increment(gone)) {
      look_at(entry->path());
    }
  }
  return files;
}

int open_directory(int at, const char* name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// No component of `relative` may be a symbolic link. "": the directory itself.
int open_below(int top, const fs::path& relative) {
  int fd = open_directory(top, ".");
  for (const auto& part : relative) {
    const int next = open_directory(fd, part.c_str());
    close(fd);
    fd = next;
  }
  return fd;
}

template <typename Action>
void for_each_entry(int directory, Action action) {
  const int own = open_directory(directory, ".");
  DIR* stream = own >= 0 ? fdopendir(own) : nullptr;
  if (stream == nullptr) {
    if (own >= 0) close(own);
    return;
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") action(entry->d_name);
  }
  closedir(stream);
}

bool is_directory_on(int at, const char* name, dev_t device) {
  struct stat status {};
  return fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
         status.st_dev == device;
}

void list_directories(int directory, const fs::path& name, dev_t device,
                      std::vector<fs::path>& into) {
  into.push_back(name);
  for_each_entry(directory, [&](const char* entry) {
    if (!is_directory_on(directory, entry, device)) return;
    const File below(open_directory(directory, entry));
    if (below.fd() >= 0) list_directories(below.fd(), name / entry, device, into);
  });
}

void remove_entries(int directory, dev_t device) {
  for_each_entry(directory, [&](const char* entry) {
    if (unlinkat(directory, entry, 0) == 0 || !is_directory_on(directory, entry, device)) return;
    {
      const File below(open_directory(directory, entry));
      if (below.fd() >= 0) remove_entries(below.fd(), device);
    }
    unlinkat(directory, entry, AT_REMOVEDIR);
  });
}

// Writes at the current position, a hole instead of zeros; the caller sets the size at the end.
bool write_sparsely(int fd, std::string_view piece) {
  if (piece.find_first_not_of('\0') == std::string_view::npos) {
    return lseek(fd, static_cast<off_t>(piece.size()), SEEK_CUR) >= 0;
  }
  return write_all(fd, piece) == 0;
}

// Returns the bytes copied, at most `limit`: the last ones of the file.
std::uint64_t copy_file_of(const Account& account, const NamedFile& from, const fs::path& to,
                           std::uint64_t limit) {
  std::optional<ActingAccount> acting(account);
  const File source(open_to_read(from.path));
  acting.reset();
  if (!source.is_ordinary()) return 0;
  const File copy(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (copy.fd() < 0) return 0;
  const auto size = source.size();
  std::uint64_t copied = 0;
  bool complete = true;
  read_from(source.fd(), size > limit ? size - limit : 0, [&](std::string_view piece) {
    // The file may grow while it is read.
    piece = piece.substr(0, limit - copied);
    complete = complete && write_sparsely(copy.fd(), piece);
    copied += piece.size();
  });
  if (complete && ftruncate(copy.fd(), static_cast<off_t>(copied)) != 0) return 0;
  return copied;
}

}  // namespace

void stream_file_of(const Account& account, const fs::path& path,
                    const std::function<void(std::string_view)>& take) {
  const File file([&] {
    const ActingAccount acting(account);
    return open_to_read(path);
  }());
  if (file.fd() < 0) throw_for("cannot read", path, errno);
  if (!file.is_ordinary()) throw_for("cannot read", path, EINVAL);
  if (const int error = read_from(file.fd(), 0, take); error != 0) {
    throw_for("cannot read", path, error);
  }
}

std::string read_file_of(const Account& account, const fs::path& path, std::uint64_t offset) {
  const ActingAccount acting(account);
  const File file(open_to_read(path));
  if (file.fd() < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (file.fd() < 0) throw_for("cannot read", path, errno);
  if (!file.is_ordinary()) throw_for("cannot read", path, EINVAL);
  std::string content;
  const int error =
      read_from(file.fd(), offset, [&content](std::string_view piece) { content += piece; });
  if (error != 0) throw_for("cannot read", path, error);
  return content;
}

void write_file_of(const Account& account, const fs::path& path, std::string_view content,
                   int mode) {
  const ActingAccount acting(account);
  auto unfinished = path;
  unfinished += ".new";
  unlink(unfinished.c_str());
  File file(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.fd() < 0) throw_for("cannot write", path, errno);
  int error = write_all(file.fd(), content);
  if (error == 0 && fchmod(file.fd(), static_cast<mode_t>(mode)) != 0) error = errno;
  if (const int closing = file.finish(); error == 0) error = closing;
  if (error == 0 && rename(unfinished.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  unlink(unfinished.c_str());
  throw_for("cannot write", path, error);
}

void copy_files_of(const Account& account, const fs::path& from, const fs::path& into) {
  constexpr std::uint64_t longest = std::uint64_t{32} << 20;
  std::uint64_t left = std::uint64_t{256} << 20;
  for (const auto& file : files_below(from)) {
    if (left == 0) return;
    const auto to = into / file.path.lexically_relative(from);
    std::error_code failure;
    fs::create_directories(to.parent_path(), failure);
    if (!failure) left -= copy_file_of(account, file, to, std::min(longest, left));
  }
}

void remove_tree_of(const Account& account, const fs::path& top) {
  const File opened(open_directory(AT_FDCWD, top.c_str()));
  struct stat status {};
  if (opened.fd() < 0 || fstat(opened.fd(), &status) != 0) return;
  std::vector<fs::path> directories;
  list_directories(opened.fd(), "", status.st_dev, directories);
  constexpr std::size_t most_workers = 8;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    try {
      const ActingAccount acting(account);
      for (auto at = next++; at < directories.size(); at = next++) {
        const File directory(open_below(opened.fd(), directories[at]));
        for_each_entry(directory.fd(),
                       [&](const char* name) { unlinkat(directory.fd(), name, 0); });
      }
    } catch (const Error&) {
      // What is left is removed below.
    }
  };
  {
    std::vector<std::jthread> workers;
    const auto wanted = std::min(most_workers, directories.size());
    while (workers.size() < wanted) workers.emplace_back(work);
  }
  remove_entries(opened.fd(), status.st_dev);
  const File parent(open(top.parent_path().c_str(), O_DIRECTORY | O_RDONLY | O_CLOEXEC));
  if (parent.fd() >= 0) unlinkat(parent.fd(), top.filename().c_str(), AT_REMOVEDIR);
}

Bytes bytes_below(const fs::path& path) {
  Bytes total;
  for (const auto& file : files_below(path)) total.count += file.size;
  return total;
}

}  // namespace pgrehearse
