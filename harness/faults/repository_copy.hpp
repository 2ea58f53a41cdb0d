// A copy of what one restore needs of a repository: its sets, the WAL behind them, the records. The
// original is opened for reading only, by the account of the drills.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

struct CopyOrder {
  std::filesystem::path from;  // a repository in a directory of this host
  std::filesystem::path to;    // is made
  std::string stanza;
  std::vector<std::string> chain;  // labels of the sets
  std::string archive;             // "15-1"
  std::string first_segment;       // the first one that the chain needs
  Account account;
};

struct FileToCopy {
  std::filesystem::path path;  // below the repository
  std::uint64_t size = 0;
};

// What belongs to the copy. Throws Error(environment) when a directory cannot be read.
std::vector<FileToCopy> files_to_copy(const CopyOrder& order);
// Makes the copy, `latest` included. Throws Error(environment), Error(interrupted).
void copy_repository(const CopyOrder& order, const std::vector<FileToCopy>& files,
                     const std::stop_token& stop);

}  // namespace pgrehearse
