// Confines a process and all its children to writing below stated paths, with Landlock: a second
// wall behind the quarantine's settings. Reading and executing stay free.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

namespace pgrehearse {

// A prepared set of rules: made before fork(), applied in the child.
class WriteConfinement {
 public:
  // Paths that do not exist are left out. nullopt where the kernel has no Landlock or has it turned
  // off. Throws Error(environment) when a path cannot be opened.
  static std::optional<WriteConfinement> prepare(std::span<const std::filesystem::path> paths);

  WriteConfinement(WriteConfinement&& other) noexcept;
  WriteConfinement& operator=(WriteConfinement&& other) noexcept;
  WriteConfinement(const WriteConfinement&) = delete;
  WriteConfinement& operator=(const WriteConfinement&) = delete;
  ~WriteConfinement();

  // Close-on-exec; owned by this object.
  [[nodiscard]] int fd() const { return fd_; }

  // Confines the calling thread for ever. Async-signal-safe: for a child between fork() and exec().
  // Sets no_new_privs, so set-user-id programs lose their power. Returns 0 or an errno.
  static int apply(int fd) noexcept;

 private:
  explicit WriteConfinement(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace pgrehearse
