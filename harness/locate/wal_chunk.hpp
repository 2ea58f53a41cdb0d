// What a part of the WAL says about transactions and relations, from pg_waldump's output. Parses
// text only; how parts are read is in archive_scan.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

// A relation's file: its number changes when the relation is rewritten.
struct FileNode {
  std::uint32_t tablespace = 0;
  std::uint32_t database = 0;
  std::uint32_t number = 0;
  auto operator<=>(const FileNode&) const = default;
};
// "base/5/16400", "pg_tblspc/16385/PG_15_202209061/5/16401", "global/1262"; nullopt for others, for
// example those of temporary tables.
std::optional<FileNode> parse_file_path(std::string_view path);

// Records of one transaction on one file.
struct RecordCounts {
  std::uint64_t inserted = 0;  // rows; those of COPY count one by one
  std::uint64_t updated = 0;
  std::uint64_t deleted = 0;
  std::uint64_t locked = 0;
  RecordCounts& operator+=(const RecordCounts& other);
  auto operator<=>(const RecordCounts&) const = default;
};

struct TransactionEnd {
  std::uint32_t xid = 0;
  Lsn lsn;  // of its commit or abort record
  Lsn end;  // of that record
  std::optional<Instant> time;
  bool aborted = false;
};

// What the record of a commit says beyond its end; of an abort only the subtransactions.
struct CommitDetails {
  std::vector<std::uint32_t> subtransactions;
  std::vector<FileNode> dropped;                  // files, in the order of the record
  std::vector<std::uint32_t> invalidated;         // OIDs of relations whose definition changed
  std::vector<std::uint32_t> dropped_statistics;  // OIDs of dropped relations; PostgreSQL 15
  [[nodiscard]] bool empty() const {
    return subtransactions.empty() && dropped.empty() && invalidated.empty();
  }
};

struct CreatedFile {
  std::uint32_t xid = 0;
  FileNode file;
};
struct DroppedDatabase {
  std::uint32_t xid = 0;
  std::uint32_t database = 0;  // OID
};
struct RestorePoint {
  std::string name;
  Lsn end;
};

// A transaction and a file of the database that is searched.
using WorkKey = std::pair<std::uint32_t, std::uint32_t>;

struct WalChunk {
  std::vector<TransactionEnd> ends;                // in WAL order
  std::map<std::size_t, CommitDetails> details;    // by index in `ends`
  std::vector<CreatedFile> created;                // in WAL order
  std::vector<DroppedDatabase> dropped_databases;  // in WAL order
  std::vector<RestorePoint> restore_points;        // in WAL order
  // Only of transactions that changed a watched file; by transaction and file number.
  std::map<WorkKey, RecordCounts> work;
  // For each watched position in this part: the end of the first record that begins there or later.
  std::map<Lsn, Lsn> position_ends;
  std::uint64_t records = 0;
};

class WalChunkReader {
 public:
  // Row changes are counted in files of this database; 0: not at all. `watched` says whether a file
  // may belong to the searched relation.
  struct Watch {
    std::uint32_t database = 0;
    std::function<bool(std::uint32_t file_number)> watched = {};
    // Only with a reading that is not filtered by resource manager.
    std::vector<Lsn> positions = {};
  };
  WalChunkReader(Watch watch, std::uint64_t segment_size)
      : watch_(std::move(watch)), segment_size_(segment_size) {}

  // One line of pg_waldump. Returns the position of its record; nullopt: it is no record.
  std::optional<Lsn> position(std::string_view line) const;
  void take(std::string_view line);
  // Drops what is not about watched files.
  WalChunk finish();

 private:
  void take_transaction(std::string_view line, std::string_view description, Lsn lsn);
  void take_heap(std::uint32_t xid, std::string_view description);
  [[nodiscard]] Lsn end_of(std::string_view line, Lsn lsn) const;

  Watch watch_;
  std::uint64_t segment_size_;
  WalChunk chunk_;
  std::unordered_map<std::uint64_t, RecordCounts> work_;  // by xid and file number
};

// Where the record of that length that begins at `lsn` ends: page headers are between its parts.
Lsn end_of_record(Lsn lsn, std::uint64_t length, std::uint64_t segment_size);

}  // namespace pgrehearse
