// The primary's fingerprint for a comparison, taken in a thread of its own while the restore runs.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "harness/primary/fingerprint/capture.hpp"
#include "harness/primary/fingerprint/fingerprint_file.hpp"
#include "harness/primary/fingerprint/unnamed_file.hpp"
#include "harness/primary/snapshot/exact_snapshot.hpp"

namespace pgrehearse {

class ComparisonCapture {
 public:
  // Starts at once. `primary` outlives this object. The snapshots, and with them what the primary
  // keeps for them, are released after the capture; when `hold` is set, with this object or when
  // the budget's max_snapshot_age is over.
  ComparisonCapture(const Primary& primary, FingerprintRules rules, ReadCommits read_commits,
                    bool hold);
  // Cancels what is running on the primary and waits for the thread.
  ~ComparisonCapture() = default;
  ComparisonCapture(const ComparisonCapture&) = delete;
  ComparisonCapture& operator=(const ComparisonCapture&) = delete;

  // The snapshots' positions; waits until they are known. Throws the error of the capture, and
  // Error(interrupted).
  std::vector<DatabaseFingerprint> points(const std::stop_token& stop);
  // Waits until the primary is read. Throws the error of the capture, and Error(interrupted).
  const CaptureSummary& summary(const std::stop_token& stop);
  // Of the finished capture, from its beginning.
  [[nodiscard]] std::unique_ptr<FingerprintReader> reader() const;
  // A new connection on a database's snapshot. Throws SqlError if the snapshot is not held.
  [[nodiscard]] Connection join(const std::string& database, std::stop_token stop) const;

 private:
  void run(const std::stop_token& stop);
  void hold_while_allowed(std::chrono::steady_clock::time_point taken, const std::stop_token& stop);

  const Primary& primary_;
  FingerprintRules rules_;
  ReadCommits read_commits_;
  bool hold_;
  UnnamedFile file_;
  mutable std::mutex mutex_;
  HeldSnapshots held_;
  std::promise<std::vector<DatabaseFingerprint>> found_;
  std::shared_future<std::vector<DatabaseFingerprint>> points_{found_.get_future()};
  std::promise<CaptureSummary> done_;
  std::shared_future<CaptureSummary> summary_{done_.get_future()};
  std::jthread thread_;  // last: joined before the other members are destroyed
};

}  // namespace pgrehearse
