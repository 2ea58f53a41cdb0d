// Directories for another account: made so that it may reach them, and checked that it does.
#pragma once

#include <filesystem>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Makes what is missing of `path`, whatever the umask so that every account may pass through it.
// Throws Error(environment, PGR-ENV-DIRECTORY).
void make_open_directories(const std::filesystem::path& path);

// Throws Error(environment, PGR-ENV-DIRECTORY) that names the first directory on the way to `path`,
// itself included, that the account may not enter.
void require_reachable(const std::filesystem::path& path, const Account& account);

// A new directory of mode 0700 that belongs to `account`. Throws Error(environment,
// PGR-ENV-DIRECTORY), also when there is something of that name.
void make_private_directory(const std::filesystem::path& path, const Account& account);

// True when there is a directory (no symbolic link) that belongs to `account`.
bool is_directory_of(const std::filesystem::path& path, const Account& account);

// Whether `path` is `directory` or lies below it, by their names alone.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& directory);

}  // namespace pgrehearse
