// Reads archived WAL segments around a landing, with pg_waldump in the sandbox.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/commit_records.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class SegmentReader {
 public:
  // All references outlive this object. The sandbox has the restored data directory.
  SegmentReader(Sandbox& sandbox, BackupRepository& repository, const Backup& backup,
                std::uint64_t segment_size, std::stop_token stop);

  struct Transactions {
    bool archived = false;
    std::vector<TransactionMark> ends;  // in WAL order
    // pg_waldump's message when the segment cannot be read to its end. A record that continues in
    // the next segment is no problem.
    std::string problem;
  };
  // Reads each segment once; the result is valid as long as the reader.
  const Transactions& transactions(WalSegment segment);
  // Where the segment's restore points of this name begin.
  std::vector<Lsn> restore_points(WalSegment segment, const std::string& name);

  [[nodiscard]] std::string name_of(WalSegment segment) const;
  // Segments that could not be fetched although they are in the archive, with the reason.
  [[nodiscard]] const std::vector<std::string>& unreadable() const { return unreadable_; }
  // Why nothing can be read on this host; empty: pg_waldump works.
  [[nodiscard]] const std::string& unexamined() const { return unexamined_; }

 private:
  bool fetch(WalSegment segment);
  // Passes the records of a resource manager to `on_line`; returns the problem.
  std::string dump(WalSegment segment, std::string_view resource_manager,
                   const std::function<void(std::string_view)>& on_line);

  Sandbox& sandbox_;
  BackupRepository& repository_;
  const Backup& backup_;
  std::uint64_t segment_size_;
  std::stop_token stop_;
  std::map<WalSegment, bool> fetched_;
  std::map<WalSegment, Transactions> transactions_;
  std::vector<std::string> unreadable_;
  std::string unexamined_;
};

}  // namespace pgrehearse
