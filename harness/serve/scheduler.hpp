// Decides when drills are started. The drills are processes of their own (`pgrehearse run`), which
// decide under the lock of their stanza whether they are really due: a second scheduler, on this
// host or another one, cannot make a drill run twice.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <stop_token>

#include "harness/serve/drill_control.hpp"
#include "harness/serve/due_drill.hpp"
#include "harness/serve/host_budget.hpp"
#include "harness/serve/scenario_directory.hpp"
#include "harness/serve/schedule_stamps.hpp"

namespace pgrehearse {

class Scheduler final : public DrillControl {
 public:
  // All outlive the scheduler.
  struct Parts {
    ScenarioDirectory& directory;
    Ledger& ledger;  // used only by the thread that calls step() or run()
    DrillProcesses& processes;
    std::function<Instant()> now;
    DiskReader disk = free_disk;
  };
  struct Options {
    std::filesystem::path state;
    std::string host;
    HostBudget budget;
    std::chrono::milliseconds tick{1000};
    bool read_only = false;  // for a list: starts and changes nothing
    // How often the files, and the ledger for drills of other hosts, are looked at.
    std::chrono::milliseconds directory_interval{5000};
    std::chrono::milliseconds ledger_interval{30000};
  };
  Scheduler(const Parts& parts, Options options);

  // Reads what has changed, and starts what is due and has room.
  void step();

  // Called after each step.
  using Heartbeat = std::function<void(const SchedulerSnapshot&)>;
  // Steps, every `tick` or when asked to, until a stop is requested. With `wait_for_drills`, starts
  // no more drills then, and returns when the last one has ended.
  void run(const std::stop_token& stop, bool wait_for_drills, const Heartbeat& heartbeat);

  // Reads all files again in the next step, which follows at once.
  void reload();

  [[nodiscard]] SchedulerSnapshot snapshot() const override;
  StartedDrill start(std::string_view scenario, std::string_view requested_by) override;
  void stop(std::string_view run_id) override;

 private:
  // What is known of a scenario between steps.
  struct Tracked {
    std::optional<DueDrill> drill;  // has to be run
    Instant next_look;              // when to evaluate the schedule again
    Instant not_before;             // after a start that came to nothing
    std::optional<Instant> next_start;
    std::string waiting_for;
    std::optional<LastDrill> last;
    std::optional<Bytes> size;  // of its last restored cluster
  };

  using SteadyInstant = std::chrono::steady_clock::time_point;

  void note_clock();
  void answer_requests();
  void read_directory();
  void observe_processes();
  void report_end(const StartedProcess& entry);
  void use_ledger();
  void read_ledger();
  void read_last_drills();
  [[nodiscard]] std::optional<Bytes> size_of(const Scenario& scenario, const LedgerRow* last);
  void evaluate(const ScenarioInForce& entry, Tracked& tracked);
  void start_due();
  [[nodiscard]] bool is_running(std::string_view scenario) const;
  // Empty: it can be started.
  [[nodiscard]] std::string reason_to_wait_for(const Scenario& scenario);
  StartedDrill launch(const ScenarioInForce& entry, std::optional<Instant> due,
                      std::string_view requested_by);
  StartedDrill start_now(std::string_view scenario, std::string_view requested_by);
  void stop_now(std::string_view run_id);
  [[nodiscard]] const ScenarioInForce* find(std::string_view scenario) const;
  [[nodiscard]] HostDemand demand_of(const Scenario& scenario) const;
  [[nodiscard]] ScheduledScenario described(const ScenarioInForce& entry) const;
  void publish();
  template <typename Question>
  auto ask(Question question);

  Parts parts_;
  Options options_;
  ScheduleStamps stamps_;
  std::map<std::string, Tracked, std::less<>> tracked_;
  std::vector<StartedProcess> processes_;
  std::vector<LedgerRow> elsewhere_;  // running according to the ledger, not among processes_
  Instant now_;
  SteadyInstant steady_;
  SteadyInstant next_directory_look_;
  SteadyInstant next_ledger_look_;
  std::optional<std::uint64_t> ledger_sequence_;  // of the last drills that are known
  bool stopping_ = false;
  std::string ledger_error_;
  std::mt19937_64 random_{std::random_device{}()};

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> requests_;  // guarded by mutex_
  bool reload_ = false;                         // guarded by mutex_
  bool closed_ = false;                         // guarded by mutex_: no step follows
  SchedulerSnapshot snapshot_;                  // guarded by mutex_
};

}  // namespace pgrehearse
