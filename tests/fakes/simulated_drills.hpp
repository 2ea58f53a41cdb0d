// Drills that take a set time of a simulated clock, and do in the ledger what `run --if-due` does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/history/ledger.hpp"
#include "harness/scenario/scenario.hpp"
#include "harness/serve/drill_processes.hpp"
#include "harness/serve/due_drill.hpp"

namespace pgrehearse {

class SimulatedDrills final : public DrillProcesses {
 public:
  struct Parts {
    Ledger& ledger;
    const ScheduleStamps& stamps;
    std::function<Instant()> now;
    std::function<const Scenario&(const std::string& name)> scenario;
    std::string host = "db1";
  };
  explicit SimulatedDrills(Parts parts) : parts_(std::move(parts)) {}

  std::chrono::seconds duration{60};
  Verdict verdict = Verdict::pass;  // of drills that end from now on
  std::vector<std::vector<std::string>> commands;

  pid_t start(StartedProcess entry, const std::vector<std::string>& arguments) override {
    commands.push_back(arguments);
    Drill drill{.entry = std::move(entry), .row = {}, .lock = {}, .end = parts_.now() + duration};
    drill.entry.pid = static_cast<pid_t>(commands.size());
    begin(drill);
    const auto pid = drill.entry.pid;
    const auto run_id = drill.entry.run_id;
    drills_[run_id] = std::move(drill);
    return pid;
  }

  [[nodiscard]] std::vector<StartedProcess> list() override {
    std::vector<StartedProcess> entries;
    for (auto& [id, drill] : drills_) {
      if (drill.entry.running && (!drill.lock || parts_.now() >= drill.end)) end(drill);
      entries.push_back(drill.entry);
    }
    return entries;
  }

  void stop(const std::string& run_id) override { end_now(run_id, Verdict::unknown); }

  std::string remove(const std::string& run_id) override {
    drills_.erase(run_id);
    return {};
  }

  // SIGKILL: the lock is released, nothing is recorded.
  void kill(const std::string& run_id) {
    auto& drill = drills_.at(run_id);
    drill.entry.running = false;
    drill.lock.reset();
  }
  // The scenarios whose drills are running.
  [[nodiscard]] std::vector<std::string> running() const {
    std::vector<std::string> names;
    for (const auto& [id, drill] : drills_) {
      if (drill.entry.running) names.push_back(drill.entry.scenario);
    }
    return names;
  }
  [[nodiscard]] std::uint64_t attempt_of(const std::string& run_id) const {
    return drills_.at(run_id).row.attempt;
  }
  [[nodiscard]] std::string run_id_of(const std::string& scenario) const {
    for (const auto& [id, drill] : drills_) {
      if (drill.entry.scenario == scenario) return id;
    }
    return {};
  }

 private:
  struct Drill {
    StartedProcess entry;
    LedgerRow row;
    std::unique_ptr<LedgerLock> lock;
    Instant end;
  };

  void begin(Drill& drill) {
    const auto& scenario = parts_.scenario(drill.entry.scenario);
    drill.row.id = drill.entry.run_id;
    drill.row.scenario = drill.entry.scenario;
    drill.row.stanza = drill.entry.stanza;
    drill.row.host = parts_.host;
    drill.row.started = parts_.now();
    if (drill.entry.due) {
      const auto decision = decide_due(parts_.ledger, parts_.stamps, scenario, parts_.now());
      if (!decision.drill) return;
      drill.row.due = decision.drill->due;
      drill.row.attempt = decision.drill->attempt;
    }
    drill.lock = parts_.ledger.try_lock_stanza(drill.entry.stanza);
    if (!drill.lock) return;
    if (!parts_.ledger.start(drill.row)) drill.lock.reset();
  }

  void end(Drill& drill) {
    drill.entry.running = false;
    if (!drill.lock) return;
    drill.row.state = DrillState::finished;
    drill.row.finished = parts_.now();
    drill.row.verdict = verdict;
    drill.row.backup_bytes = 1000;
    parts_.ledger.finish(drill.row);
    drill.lock.reset();
  }

  void end_now(const std::string& run_id, Verdict stopped) {
    const auto before = std::exchange(verdict, stopped);
    end(drills_.at(run_id));
    verdict = before;
  }

  Parts parts_;
  std::map<std::string, Drill> drills_;
};

}  // namespace pgrehearse
