// Visits recovery targets on the way to the last one: proves each landing, and runs checks and
// dumps there.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/drill/pause_point.hpp"
#include "harness/postgres/commit_records.hpp"
#include "harness/report/report.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/check_description.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct TargetStop {
  Lsn lsn;           // no record that begins there or later is replayed
  std::string name;  // the target in words
  // From the WAL, as read before the recovery.
  std::optional<TransactionMark> last_applied;
  std::optional<TransactionMark> first_withheld;
};

class TargetStops : public PausePointVisitor {
 public:
  struct Actions {
    std::span<const CheckDescription> checks;
    std::vector<CheckRequest> requests;  // run at each stop
    // Writes the dumps of the stop with this number, from 1.
    std::function<std::vector<DumpRecord>(Sandbox& sandbox, std::size_t number,
                                          const std::stop_token& stop)>
        dump = {};
  };
  // Stops in WAL order.
  TargetStops(std::vector<TargetStop> stops, Actions actions);

  std::vector<PausePoint> pause_points(const RepositoryContext& context) override;
  void at_pause_point(const InstanceContext& context, const PausePoint& point) override;
  void pause_point_unreachable(const PausePoint& point, const std::string& reason) override;
  void failed(const Error& error) override;

  // Adds the stops and their checks. A stop that was not reached is a failed check.
  void add_to(Report& report) const;
  // The stop at the pause point, to note the copy that was kept there; nullptr: none.
  StopRecord* record_at(const PausePoint& point);

 private:
  [[nodiscard]] std::size_t index_of(const PausePoint& point) const;
  void run_checks_at(const InstanceContext& context, const Landing& landing,
                     const std::string& name);
  void add_check(const std::string& name, Verdict verdict, const std::string& summary);

  std::vector<TargetStop> stops_;
  Actions actions_;
  std::vector<StopRecord> records_;
  std::vector<CheckRecord> checks_;
};

}  // namespace pgrehearse
