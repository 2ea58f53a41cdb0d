// The report in the making: phases are timed, told to the listener and saved as they end, so that a
// killed drill leaves a readable record.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/drill/check_runner.hpp"
#include "harness/drill/run_drill.hpp"
#include "harness/report/diagnosis.hpp"
#include "harness/report/report.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

class DrillRecord {
 public:
  // Makes the run directory and saves the first record. `services` outlives this object.
  DrillRecord(const Scenario& scenario, const DrillServices& services);

  Report report;

  // Throws what the action throws, and Error(interrupted) instead of beginning after a stop
  // request.
  void phase(const std::string& name, const std::stop_token& stop,
             const std::function<void()>& action);
  void add(std::vector<CheckRecord> records);
  void save();
  // The drill ran to its end: verdict and diagnosis from its checks.
  void conclude(const std::optional<RecoverableWindow>& window);
  // The drill could not go on: those of `planned` that have no record yet were not reached.
  struct Failure {
    const Error& error;
    bool interrupted = false;
    std::span<const PlannedCheck> planned;
    std::vector<std::string> evidence = {};
  };
  void give_up(const Failure& failure, const std::optional<RecoverableWindow>& window);
  void finish();

  [[nodiscard]] std::filesystem::path logs() const { return run_.logs(); }
  [[nodiscard]] ProgressListener& progress() const { return services_.progress; }

 private:
  void skip(const PlannedCheck& planned, const Error& error);
  [[nodiscard]] std::vector<Verdict> verdicts() const;

  const DrillServices& services_;
  RunDirectory run_;
  std::map<std::string, Seconds> expected_;  // from the last run, by phase
};

}  // namespace pgrehearse
