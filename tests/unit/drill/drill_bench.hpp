// Everything that run_drill works with, as fakes that let a drill of PostgreSQL 15 pass. Tests
// change one part and look at the report and at the calls.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/drill/run_drill.hpp"
#include "tests/fakes/fake_postgres.hpp"
#include "tests/fakes/fake_provisioner.hpp"
#include "tests/fakes/fake_repository.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/unit/drill/scripted_checks.hpp"

namespace pgrehearse {

// Records "phase NAME", and which phases the saved record had when the next one started.
class RecordingProgress : public ProgressListener {
 public:
  RecordingProgress(CallRecord& calls, std::filesystem::path record)
      : calls_(calls), record_(std::move(record)) {}

  void drill_started(const Report& report) override;
  void phase_started(std::string_view name, const PhaseExpectation& expected) override;
  void phase_progress(std::optional<double>, std::string_view) override {}
  void phase_finished(const PhaseRecord&) override {}
  void check_finished(const CheckRecord&) override {}
  void drill_finished(const Report&) override { calls_.made("finished"); }

  [[nodiscard]] const std::vector<std::string>& saved() const { return saved_; }

 private:
  CallRecord& calls_;
  std::filesystem::path record_;
  std::vector<std::string> saved_;  // the last phase of the record, at each start of a phase
};

class DrillBench {
 public:
  // With these checks of ScriptedChecks::table().
  explicit DrillBench(const std::vector<std::string>& checks = {"paused"});
  DrillBench(const DrillBench&) = delete;
  DrillBench& operator=(const DrillBench&) = delete;
  ~DrillBench();

  Report run(bool keep = false);
  // The record as it is on disk.
  [[nodiscard]] Report saved() const;
  [[nodiscard]] std::filesystem::path run_directory() const;
  [[nodiscard]] std::vector<std::string> phases() const;  // that were started, in order
  // Ends the drill when `call` is made.
  void stop_at(const std::string& call);
  // The restored server ends with this line of its log; a fresh cluster starts unless `fresh` says
  // otherwise.
  void restored_server_ends(const std::string& line, FakePostgres::Start fresh = {});

 private:
  std::filesystem::path directory_;
  FakePostgres::Start replaying();
  void answer_programs();
  void answer_statements();
  void request_archive_end();

  bool replay_paused_ = false;

 public:
  std::stop_source stop;
  bool timed_out = false;
  std::string replayed = "0/3FFFF00";  // until replay is resumed
  std::vector<PausePointVisitor*> visitors;
  CallRecord calls;
  ScriptedServer server;
  FakePostgres postgres;
  FakeProvisioner provisioner{calls, postgres};
  FakeRepository repository{calls};
  ScriptedChecks checks{calls};
  Scenario scenario;
  RecordingProgress progress;
};

inline LikelyCause likely_cause(const Report& report) { return report.diagnosis.likely_cause; }
const CheckRecord* find_check(const Report& report, std::string_view name);

}  // namespace pgrehearse
