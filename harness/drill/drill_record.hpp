// The report of a running drill. It is saved when the drill starts and after each phase, so that a
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
#include "harness/drill/drill_services.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/report/diagnosis.hpp"
#include "harness/report/forecast.hpp"
#include "harness/report/report.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

class DrillRecord {
 public:
  // Creates the run directory and saves the first record. `services` outlives this object.
  DrillRecord(const Scenario& scenario, const DrillServices& services);

  Report report;

  // Times and reports `action` as a phase. Throws what it throws; after a stop request throws
  // Error(interrupted) without calling it.
  void phase(const std::string& name, const std::stop_token& stop,
             const std::function<void()>& action);
  // Reports the backup that was chosen, and the archive.
  void prepared(const Preparation& preparation, const RepositorySpec& repository);
  void add(std::vector<FinishedCheck> checks);
  // A report that cannot be saved does not end the drill: finish() says so in it.
  void save();
  // The drill completed: verdict and diagnosis from its checks.
  void conclude(const std::optional<RecoverableWindow>& window);
  // The drill could not continue. Those of `planned` without a record are recorded as skipped.
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
  [[nodiscard]] PhaseExpectation expectation_of(const std::string& phase) const;
  void skip(const PlannedCheck& planned, const Error& error);
  void report_unsaved(const Error& error);
  [[nodiscard]] std::vector<Verdict> verdicts() const;

  const DrillServices& services_;
  RunDirectory run_;
  bool checks_requested_;
  std::vector<ExpectedPhase> expected_;  // from drills that passed
  std::optional<Error> unsaved_;         // why the newest record is not saved
};

}  // namespace pgrehearse
