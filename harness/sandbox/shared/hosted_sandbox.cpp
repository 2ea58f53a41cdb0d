#include "harness/sandbox/shared/hosted_sandbox.hpp"

#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

ConnectionParameters HostedSandbox::server() const {
  return {{"host", paths().sockets.string()}, {"port", "5432"}, {"user", spec_.superuser}};
}

std::string HostedSandbox::program(std::string_view name) const {
  if (!spec_.binaries) {
    throw Error(ErrorKind::internal, "the sandbox was created without a PostgreSQL version");
  }
  return (*spec_.binaries / name).string();
}

Bytes HostedSandbox::size_of(const fs::path& path) const { return directory_.size_of(path); }

std::string HostedSandbox::read_file(const fs::path& path, std::uint64_t offset) const {
  return directory_.read_file(path, offset);
}

void HostedSandbox::stream_file(const fs::path& path,
                                const std::function<void(std::string_view)>& take) const {
  stream_file_of(directory_.account(), path, take);
}

void HostedSandbox::write_file(const fs::path& path, std::string_view content, int mode) {
  directory_.write_file(path, content, mode);
}

Removal HostedSandbox::destroy() {
  if (destroyed_) return removal_;
  removal_ = remove_everything();
  if (removal_.complete()) {
    directory_.forget();
    destroyed_ = true;
  }
  return removal_;
}

void HostedSandbox::destroy_unless_kept() noexcept {
  if (destroyed_ || directory_.entry().kept) return;
  try {
    destroy();
  } catch (...) {
    // The registry entry remains: `clean` and the next run remove the rest.
  }
}

Removal HostedSandbox::remove_everything() { return remove_local_sandbox(directory_.entry()); }

}  // namespace pgrehearse
