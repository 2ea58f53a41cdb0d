#include "harness/process/confinement.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse {

namespace {

// Not yet in the headers of the oldest supported distribution.
constexpr std::uint64_t access_truncate = 1ULL << 14U;

constexpr std::uint64_t access_file = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t access_directory =
    access_file | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM;

[[noreturn]] void throw_for(const std::string& what, int error) {
  throw Error(ErrorKind::environment,
              fmt::format("{}: {}", what, std::generic_category().message(error)));
}

// Version of the Landlock interface; below 1: not available.
long landlock_version() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

// 0 when Landlock is not available.
std::uint64_t handled_access() {
  const auto version = landlock_version();
  if (version < 1) return 0;
  std::uint64_t handled = access_directory;
  if (version >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) handled |= access_truncate;
  return handled;
}

}  // namespace

std::optional<WriteConfinement> WriteConfinement::prepare(
    std::span<const std::filesystem::path> paths) {
  // Only the first member: the kernel treats a shorter structure as an older version.
  const std::uint64_t attributes = handled_access();
  if (attributes == 0) return {};
  Descriptor ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (ruleset.get() < 0) throw_for("cannot create the Landlock ruleset", errno);
  for (const auto& path : paths) {
    const int error = allow(ruleset.get(), path.c_str());
    if (error != 0 && error != ENOENT && error != ENOTDIR) {
      throw_for(fmt::format("cannot restrict writes to '{}'", path.string()), error);
    }
  }
  return WriteConfinement(ruleset.release());
}

bool WriteConfinement::available() noexcept { return landlock_version() >= 1; }

int WriteConfinement::allow(int fd, const char* path) noexcept {
  const Descriptor target(open(path, O_PATH | O_CLOEXEC));
  if (target.get() < 0) return errno;
  struct stat status {};
  if (fstat(target.get(), &status) != 0) return errno;
  const bool directory = S_ISDIR(status.st_mode);
  const landlock_path_beneath_attr rule{
      .allowed_access =
          handled_access() & (directory ? ~std::uint64_t{0} : access_file | access_truncate),
      .parent_fd = target.get()};
  return syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : errno;
}

WriteConfinement::WriteConfinement(WriteConfinement&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

WriteConfinement& WriteConfinement::operator=(WriteConfinement&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

WriteConfinement::~WriteConfinement() {
  if (fd_ >= 0) close(fd_);
}

int WriteConfinement::apply(int fd) noexcept {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (syscall(SYS_landlock_restrict_self, fd, 0) != 0) return errno;
  return 0;
}

}  // namespace pgrehearse
