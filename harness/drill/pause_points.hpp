// The positions on the way of recovery at which checks want to stand: which of them this recovery
// comes to, and in what order.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/drill/check_runner.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// What decides whether a recovery comes to a position.
struct RecoveryPath {
  const RecoveryTarget& target;
  const Backup& backup;
  const WalLineage& lineage;
};

// Why the recovery does not come there; nullopt: it does, if its WAL is or comes into the archive.
std::optional<std::string> why_missed(const Stop& stop, const RecoveryPath& path);

class PausePoints {
 public:
  // Asks the checks; waits for those that do not know yet. All references outlive this object.
  PausePoints(std::span<PlannedCheck> checks, CheckContext& context);

  // Ascending, each once.
  [[nodiscard]] std::vector<Stop> all() const;
  // Tells those who asked for it that the instance stands there, or why it never will.
  void reached(const Stop& stop);
  void missed(const Stop& stop, const std::string& why);

 private:
  struct Asked {
    PlannedCheck* check = nullptr;
    Stop stop;
  };
  void tell(const Stop& stop, const std::function<void(Check& check)>& call);

  CheckContext& context_;
  std::vector<Asked> asked_;
};

// The target of a recovery that pauses there.
RecoveryTarget target_of(const Stop& stop, const RecoveryTarget& target);

}  // namespace pgrehearse
