// Reads and writes files of an untrusted account: as that account, regular files only, without
// following a symbolic link as the last component.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

// From `offset` to the end; empty if the file does not exist. Throws Error(environment).
std::string read_file_of(const Account& account, const std::filesystem::path& path,
                         std::uint64_t offset = 0);
// Calls `take` with its content, piece by piece. Throws Error(environment), also if it does not
// exist.
void stream_file_of(const Account& account, const std::filesystem::path& path,
                    const std::function<void(std::string_view)>& take);
// Replaces the file atomically. Throws Error(environment).
void write_file_of(const Account& account, const std::filesystem::path& path,
                   std::string_view content, int mode);

// Copies the files below `from`, at most the last 32 MB of each and 256 MB of all, to `into`, which
// is created if there are files. Holes of sparse files stay holes. Ignores files that cannot be
// read.
void copy_files_of(const Account& account, const std::filesystem::path& from,
                   const std::filesystem::path& into);

// Removes a directory with everything in it; files are unlinked by several threads, as `account`:
// on file systems with online discard each takes milliseconds. Follows no symbolic link, whatever
// changes meanwhile, and stays in the directory's file system. Leaves what cannot be removed.
void remove_tree_of(const Account& account, const std::filesystem::path& top);

// Total size of the files below; 0 if there are none. Files may appear and disappear meanwhile.
Bytes bytes_below(const std::filesystem::path& path);

}  // namespace pgrehearse
