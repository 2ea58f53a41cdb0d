#include "harness/sandbox/directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr auto code = FindingCode::env_directory;

[[noreturn]] void throw_for(const std::string& what, const fs::path& path, int error) {
  throw Error(
      ErrorKind::environment,
      fmt::format("{} '{}': {}", what, path.string(), std::generic_category().message(error)),
      "choose another directory with sandbox.directory or --state", code, path.string());
}

}  // namespace

void make_open_directories(const fs::path& path) {
  if (fs::is_directory(path)) return;
  if (path.has_parent_path() && path.parent_path() != path) {
    make_open_directories(path.parent_path());
  }
  // Renamed when it has its mode: another drill that finds the directory must be able to enter it.
  auto name = path.string() + ".new-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw_for("cannot create directory", path, errno);
  int error = chmod(name.c_str(), 0755) == 0 ? 0 : errno;
  // Not over a directory of another drill, which may be creating files in it.
  if (error == 0 &&
      renameat2(AT_FDCWD, name.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    error = errno;
  }
  // Some file systems cannot rename so.
  if (error == EINVAL) error = rename(name.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (error == 0) return;
  rmdir(name.c_str());
  if (!fs::is_directory(path)) throw_for("cannot create directory", path, error);
}

void require_reachable(const fs::path& path, const Account& account) {
  const ActingAccount acting(account);
  fs::path reached;
  for (const auto& part : path) {
    reached /= part;
    struct stat status {};
    // "." requires search permission on the directory itself.
    if (stat((reached / ".").c_str(), &status) == 0) continue;
    if (errno != EACCES) throw_for("cannot enter directory", reached, errno);
    throw Error(
        ErrorKind::environment,
        fmt::format("account '{}' cannot enter directory '{}'", account.name, reached.string()),
        fmt::format("choose another sandbox.directory, or grant access: chmod o+x {}",
                    reached.string()),
        code, reached.string());
  }
}

void make_private_directory(const fs::path& path, const Account& account) {
  if (mkdir(path.c_str(), 0700) != 0) throw_for("cannot create directory", path, errno);
  const int fd = open(path.c_str(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int error = fd < 0 ? errno : 0;
  if (fd >= 0) {
    // A umask may have removed permission bits.
    if (fchmod(fd, 0700) != 0) error = errno;
    if (geteuid() != account.uid && fchown(fd, account.uid, account.gid) != 0) error = errno;
    close(fd);
  }
  if (error == 0) return;
  rmdir(path.c_str());
  throw_for(fmt::format("cannot make account '{}' the owner of directory", account.name), path,
            error);
}

void require_trusted(const fs::path& path) {
  if (geteuid() != 0) return;
  std::error_code missing;
  auto real = fs::weakly_canonical(path, missing);
  if (missing) real = path;
  for (auto part = real; part.has_relative_path(); part = part.parent_path()) {
    struct stat status {};
    if (lstat(part.c_str(), &status) != 0) continue;
    const bool of_others = status.st_uid != 0;
    // In a directory with the sticky bit only the owner of an entry can replace it.
    const bool sticky = part != real && (status.st_mode & S_ISVTX) != 0;
    const bool open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky;
    if (!of_others && !open) continue;
    throw Error(ErrorKind::environment,
                fmt::format("the state directory is not trusted: '{}' {}", part.string(),
                            of_others ? "does not belong to root" : "is writable by others"),
                "run pgrehearse as its owner, choose another directory with --state, or correct "
                "its owner and mode",
                FindingCode::env_state, part.string());
  }
}

bool is_directory_of(const fs::path& path, const Account& account) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == account.uid;
}

bool is_below(const fs::path& path, const fs::path& directory) {
  const auto relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace pgrehearse
