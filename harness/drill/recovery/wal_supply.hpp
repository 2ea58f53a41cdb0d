// WAL for replay: the script that PostgreSQL runs as restore_command, the requests it records, and
// the position up to which it provides WAL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
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
  int exit_code = 0;  // 0 fetched, now or before; else the backup tool's: 1 not in the archive
};
std::vector<WalRequest> parse_wal_requests(std::string_view text);

// Where replay cannot go on.
struct ReplayEnd {
  std::string segment;
  bool unreadable = false;  // it is in the archive, and PostgreSQL fetches it again and again
  bool operator==(const ReplayEnd&) const = default;
};

// A segment that was requested twice without success, while nothing was fetched in between, or that
// was fetched again and again without any progress. nullopt while replay continues.
std::optional<ReplayEnd> replay_end(const std::vector<WalRequest>& requests);

// Segments that were fetched from the archive before recovery, into another sandbox's directory for
// WAL. Replay gets them without asking the archive again, where a file can be moved.
struct FetchedWal {
  std::unique_ptr<Sandbox> sandbox;  // nullptr: nothing was fetched
  std::vector<std::string> segments;
};

struct WalSupplyFiles {
  std::filesystem::path requests;  // one line per call
  std::filesystem::path closed;    // once it exists, no file is found
  std::filesystem::path limit;     // written by wal_limit(); empty: no limit
  std::filesystem::path given;     // the truncated segment that replay has received
  std::filesystem::path whole;     // with ".<segment>": that segment, to be given whole or in parts
  std::filesystem::path absent;    // with ".<name>": this history file is not in the archive
};
WalSupplyFiles wal_supply_files(const SandboxPaths& paths);

// Two argument vectors; the file name and its destination are appended.
struct ArchiveGet {
  std::vector<std::string> ahead;  // also prefetches the following files
  std::vector<std::string>
      single;  // fetches one file, when `ahead` fails because of its own processes
};

// The shell script that PostgreSQL runs as restore_command. An exit code above 1 becomes 126, which
// makes PostgreSQL stop instead of treating a failing repository as the end of the archive.
std::string archive_get_wrapper(const ArchiveGet& archive_get, const WalSupplyFiles& files);

// The content of the file `limit`: the segment is zero-filled from `until` on, like one that was
// not written further. A standby replays all records that end before it, and waits.
std::string wal_limit(Lsn until, std::uint64_t segment_size);

// Quotes a word for sh.
std::string shell_quoted(const std::string& word);

// Whether a waiting server that has replayed up to `replayed` is at `position`: a page header may
// be between the end of one record and the start of the next.
bool is_at(Lsn replayed, Lsn position);

}  // namespace pgrehearse
