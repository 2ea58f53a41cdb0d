// Which transactions dropped, truncated, rewrote or changed a relation. Follows the relation from
// file to file, from the catalog at one moment through the WAL after it. Does no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/locate/catalog_relations.hpp"
#include "harness/locate/wal_chunk.hpp"

namespace pgrehearse {

enum class IncidentKind { dropped, truncated, deleted, updated, database_dropped };
// "dropped", ...
std::string_view name_of(IncidentKind kind);

struct IncidentQuestion {
  IncidentKind kind = IncidentKind::dropped;
  TableName table;             // only the database for database_dropped
  std::uint64_t at_least = 1;  // rows deleted or updated
  std::optional<Instant> from;
  std::optional<Instant> to;
  // PostgreSQL 15 and newer: commit records list every dropped relation.
  bool lists_dropped_relations = true;
};

struct IncidentCandidate {
  TransactionEnd commit;
  std::string what;                    // "dropped shop.public.orders"
  RecordCounts counts;                 // in the searched relation
  std::vector<std::string> relations;  // dropped, truncated, rewritten or changed by it, with what
  std::optional<double> rows;          // in the relation before the transaction, approximately
  bool certain = true;                 // false: it may be another kind of change
  std::uint64_t earlier_commits = 0;   // in the WAL that was read
};

class IncidentSearch {
 public:
  // `catalog` is as of `since`: commits before it are part of it.
  IncidentSearch(IncidentQuestion question, CatalogRelations catalog, Lsn since);

  // Whether rows of this file have to be counted. Safe from several threads while take() runs.
  [[nodiscard]] std::function<bool(std::uint32_t file_number)> watched() const;
  // Whether the search counts rows at all.
  [[nodiscard]] bool counts_rows() const;

  // In WAL order.
  void take(const WalChunk& chunk);

  // In WAL order, at most a thousand: those with most rows.
  [[nodiscard]] const std::vector<IncidentCandidate>& candidates() const { return candidates_; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] const std::optional<TransactionEnd>& first_commit() const { return first_; }
  [[nodiscard]] const std::optional<TransactionEnd>& last_commit() const { return last_; }
  // Why the relation could not be followed from a commit on; empty: it could.
  [[nodiscard]] const std::string& lost_track() const { return lost_track_; }
  // Commits since the catalog that gave the relation a new file.
  [[nodiscard]] std::uint64_t rewrites() const { return rewrites_; }
  // Whether the WAL contains the creation of the file that the catalog has for the relation, and
  // the relation had another file before: the catalog is of a later moment.
  [[nodiscard]] bool made_searched_file() const { return made_searched_file_; }

 private:
  struct Pending {
    std::vector<FileNode> created;
    std::map<std::uint32_t, RecordCounts> work;  // by file number
    std::vector<std::uint32_t> dropped_databases;
    void add(Pending other);
  };
  // What a commit did to one table.
  enum class Change { dropped, truncated, rewritten, dropped_or_rewritten };
  struct TableChange {
    Change change = Change::dropped;
    CatalogRelation table;
  };

  Pending take_pending(std::uint32_t xid, const CommitDetails* details);
  void commit(const TransactionEnd& end, const CommitDetails* details, Pending pending);
  std::vector<TableChange> apply_files(const TransactionEnd& end, const CommitDetails& details,
                                       const Pending& pending);
  void follow(const std::vector<const CatalogRelation*>& gone, std::vector<FileNode> fresh,
              std::vector<FileNode> born, const TransactionEnd& end);
  void give_file(std::uint32_t oid, FileNode file);
  void consider(const TransactionEnd& end, const std::vector<TableChange>& changes,
                const Pending& pending);
  [[nodiscard]] RecordCounts counts_in_searched(const Pending& pending) const;
  void add(IncidentCandidate candidate);
  [[nodiscard]] bool in_range(const TransactionEnd& end) const;
  [[nodiscard]] std::optional<double> rows_before() const;

  IncidentQuestion question_;
  CatalogRelations catalog_;
  Lsn since_;
  std::map<std::uint32_t, std::size_t> by_oid_;
  std::map<FileNode, std::uint32_t> by_file_;  // OID
  std::set<std::uint32_t> known_files_;        // of the catalog, for watched()
  std::set<std::uint32_t> searched_files_;     // every file that the relation has had
  std::set<std::uint32_t> searched_;           // OIDs
  std::map<std::uint32_t, Pending> pending_;
  std::vector<IncidentCandidate> candidates_;
  std::uint64_t commits_ = 0;
  std::optional<TransactionEnd> first_;
  std::optional<TransactionEnd> last_;
  std::string lost_track_;
  std::uint64_t rewrites_ = 0;
  bool made_searched_file_ = false;
  double row_change_ = 0;  // rows inserted minus rows deleted since the catalog
};

}  // namespace pgrehearse
