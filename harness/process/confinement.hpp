// Restricts a process and all its children to writing below given paths, with Landlock. It backs up
// the settings of the quarantine. Reading and executing are not restricted.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

namespace pgrehearse {

// A prepared ruleset: created before fork(), applied in the child.
class WriteConfinement {
 public:
  // Ignores paths that do not exist. nullopt when the kernel has no Landlock or it is disabled.
  // Throws Error(environment) when a path cannot be opened.
  static std::optional<WriteConfinement> prepare(std::span<const std::filesystem::path> paths);

  WriteConfinement(WriteConfinement&& other) noexcept;
  WriteConfinement& operator=(WriteConfinement&& other) noexcept;
  WriteConfinement(const WriteConfinement&) = delete;
  WriteConfinement& operator=(const WriteConfinement&) = delete;
  ~WriteConfinement();

  // Close-on-exec; owned by this object.
  [[nodiscard]] int fd() const { return fd_; }

  // Whether the kernel has Landlock and it is enabled.
  static bool available() noexcept;

  // Also allows writes below `path`, which exists. Async-signal-safe, before apply(). Returns 0 or
  // an errno.
  static int allow(int fd, const char* path) noexcept;

  // Restricts the calling thread for good. Async-signal-safe, for a child between fork() and
  // exec(). Sets no_new_privs, which disables set-user-id programs. Returns 0 or an errno.
  static int apply(int fd) noexcept;

 private:
  explicit WriteConfinement(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace pgrehearse
