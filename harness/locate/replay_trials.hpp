// Evaluates a query in a restored instance at one WAL position after the other. The data directory
// at the newest position where the query was true is saved, so that replay can start from there
// again.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct TrialQuestion {
  std::string database;
  std::string sql;  // true: the first column of its first row
};

class ReplayTrials {
 public:
  struct Parts {
    // All outlive this object. The instance is paused where the backup is consistent.
    Sandbox& sandbox;
    Instance& instance;
    BackupRepository& repository;
    const Backup& backup;
    Lsn position;
    std::function<void(std::optional<double>, std::string_view)> on_progress = {};
  };
  ReplayTrials(Parts parts, TrialQuestion question, std::stop_token stop);

  // Where the instance is now. The position is saved if the result is true.
  bool holds_here();
  // Just after the record that begins at `lsn`, which is after the saved position.
  bool holds_after(Lsn lsn);
  [[nodiscard]] std::size_t trials() const { return trials_; }

 private:
  bool evaluate();
  bool evaluate_once();
  void save();
  void restore_saved();
  void run(std::string program, std::vector<std::string> arguments);

  Parts parts_;
  TrialQuestion question_;
  std::stop_token stop_;
  Lsn saved_;             // position of the saved data
  bool at_saved_ = true;  // the data directory is that of the saved position
  bool promoted_ = false;
  std::size_t trials_ = 0;
};

}  // namespace pgrehearse
