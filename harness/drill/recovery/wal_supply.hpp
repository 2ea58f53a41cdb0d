// What replay gets from the archive: the script that PostgreSQL runs as restore_command, what it
// records, and the position up to which it gives WAL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/lsn.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

// One call of restore_command, as its wrapper recorded it.
struct WalRequest {
  std::string file;
  int exit_code = 0;  // the backup tool's: 0 fetched, 1 not in the archive, else an error
};
std::vector<WalRequest> parse_wal_requests(std::string_view text);

// The segment that replay waits for in vain: asked for twice, not there, and nothing was fetched in
// between. nullopt while replay goes on.
std::optional<std::string> missing_at_end(const std::vector<WalRequest>& requests);

struct WalSupplyFiles {
  std::filesystem::path requests;  // one line a call
  std::filesystem::path closed;    // once it exists nothing is found
  std::filesystem::path limit;     // what wal_limit() gives; empty: no limit
  std::filesystem::path given;     // which limited segment replay has got
};
WalSupplyFiles wal_supply_files(const SandboxPaths& paths);

// Two argvs; the file's name and its destination are appended.
struct ArchiveGet {
  std::vector<std::string> ahead;   // fetches also what will be asked for next
  std::vector<std::string> single;  // fetches one file, where `ahead` gets in its own way
};

// The shell script that PostgreSQL runs as restore_command. An exit code above 1 becomes 126, which
// makes PostgreSQL stop instead of taking a failing repository for the end of the archive.
std::string archive_get_wrapper(const ArchiveGet& archive_get, const WalSupplyFiles& files);

// For the file `limit`: zeros from this position on, as in a segment that was not written further.
// A standby then has replayed all that ends there, and waits.
std::string wal_limit(Lsn until, std::uint64_t segment_size);

// A word for sh.
std::string shell_quoted(const std::string& word);

// Whether a server that has replayed up to `replayed` and waits stands at `position`: there may be
// a page header between the end of one record and the beginning of the next.
bool is_at(Lsn replayed, Lsn position);

}  // namespace pgrehearse
