// Reading and writing the files of an account that is not trusted: as that account, ordinary files
// only, without following a symbolic link in the last place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

// From `offset` to the end; empty if there is no such file. Throws Error(environment) when it
// cannot be read.
std::string read_file_of(const Account& account, const std::filesystem::path& path,
                         std::uint64_t offset = 0);
// Replaces the file at once. Throws Error(environment).
void write_file_of(const Account& account, const std::filesystem::path& path,
                   std::string_view content, int mode);

// Copies the files below `from`, at most the newest 32 MB of each, to `into`, a directory of the
// harness that is made when there is something to copy. What cannot be read is left out.
void copy_files_of(const Account& account, const std::filesystem::path& from,
                   const std::filesystem::path& into);

// Unlinks the ordinary files below, several at once: a file system that gives space back at once
// takes milliseconds for each. What cannot be unlinked stays.
void unlink_files_of(const Account& account, const std::filesystem::path& top);

// The sizes of all files below; 0 if there is nothing. Files may come and go meanwhile.
Bytes bytes_below(const std::filesystem::path& path);

}  // namespace pgrehearse
