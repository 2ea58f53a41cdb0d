// Copies what one restore needs: backups, the WAL after them, metadata files. The original is only
// read, by the account of the drills.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

struct CopyOrder {
  std::filesystem::path from;  // a repository in a directory on this host
  std::filesystem::path to;    // is created
  std::string stanza;
  std::vector<std::string> chain;  // labels of the backups
  std::string archive;             // "15-1"
  std::string first_segment;       // first segment that the backups need
  Account account;
};

struct FileToCopy {
  std::filesystem::path path;  // relative to the repository
  std::uint64_t size = 0;
};

// The files to copy. Throws Error(environment) if a directory cannot be read.
std::vector<FileToCopy> files_to_copy(const CopyOrder& order);
// Creates the copy, including the link `latest`. Throws Error(environment), Error(interrupted).
void copy_repository(const CopyOrder& order, const std::vector<FileToCopy>& files,
                     const std::stop_token& stop);

}  // namespace pgrehearse
