// Directories for another account, and checks that it can access them.
#pragma once

#include <filesystem>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Creates missing directories of `path` with mode 0755, whatever the umask.
// Throws Error(environment, env_directory).
void make_open_directories(const std::filesystem::path& path);

// Throws Error(environment, env_directory) with the first directory of `path` that the account
// may not enter.
void require_reachable(const std::filesystem::path& path, const Account& account);

// A new directory of mode 0700 that belongs to `account`. Throws Error(environment,
// env_directory), also if the path exists.
void make_private_directory(const std::filesystem::path& path, const Account& account);

// True if `path` is a directory, not a symbolic link, that belongs to `account`.
bool is_directory_of(const std::filesystem::path& path, const Account& account);

// Throws Error(environment, env_state) if an account other than root and the current one could
// replace `path` or what is in it. Only root is that strict: nothing is checked for others. The
// path may not exist.
void require_trusted(const std::filesystem::path& path);

// Whether `path` is `directory` or below it. Compares names only.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& directory);

}  // namespace pgrehearse
