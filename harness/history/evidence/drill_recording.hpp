// The row of the drill that this process runs: holds the lock of the stanza, records the start and
// the end.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/history/ledger.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// "postgres", "root (sudo by alice)".
std::string operator_of_this_process();
// SHA-256 of the running program.
std::string checksum_of_this_program();

class DrillRecording {
 public:
  struct Options {
    // Wait for other drills of the stanza; otherwise the drill runs at the same time.
    bool wait = true;
    std::function<void(const std::string& other)> on_wait;  // called once if it has to wait
  };
  // Throws Error(interrupted) on a stop request. `row` says what is known before the drill.
  DrillRecording(Ledger& ledger, LedgerRow row, const Options& options,
                 const std::stop_token& stop);

  // False: the drill of this due time was recorded before, and must not run.
  [[nodiscard]] bool started() const { return started_; }
  // Lists the files of the run directory in its manifest, records the results, and writes the entry
  // of the chain to the run directory. Throws Error(environment).
  void finish(const Report& report, const std::filesystem::path& run_directory);
  // The drill ended without a report.
  void abort(const std::string& reason, Instant now);

  [[nodiscard]] const LedgerRow& row() const { return row_; }

 private:
  Ledger& ledger_;
  LedgerRow row_;
  std::unique_ptr<LedgerLock> stanza_lock_;
  std::unique_ptr<LedgerLock> drill_lock_;
  bool started_ = false;
};

}  // namespace pgrehearse
