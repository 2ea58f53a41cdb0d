#include "harness/drill/run_drill.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <thread>

#include "harness/drill/check_runner.hpp"
#include "harness/drill/diagnosis.hpp"
#include "harness/drill/landing_proof.hpp"
#include "harness/drill/objectives.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/drill/recovery.hpp"
#include "harness/drill/recovery_failure.hpp"
#include "harness/drill/sandbox_proof.hpp"
#include "harness/postgres/relation_files.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

class Drill {
 public:
  Drill(const Scenario& scenario, const DrillServices& services, bool keep, std::stop_token stop)
      : scenario_(scenario),
        services_(services),
        keep_(keep),
        stop_(std::move(stop)),
        run_(services.store.create(scenario.name, services.run_id)),
        preparation_(scenario, services.repository, services.primary, services.state) {
    services_.commands.log_into(run_.logs());
    report_.id = services.run_id;
    report_.scenario = {
        .name = scenario.name, .file = scenario.file.string(), .hash = scenario.hash};
    report_.started = services.now();
    report_.host = services.host;
    report_.sandbox.type = scenario.sandbox.type;
    report_.comparison = {.method = "none", .explanation = "no exact comparison was asked for"};
    report_.tools["pgrehearse"] = services.version;
    report_.diagnosis.summary = "the drill has not finished";
    if (const auto last = services.store.newest_finished(scenario.name)) {
      for (const auto& done : last->phases) expected_[done.name] = Seconds(done.seconds);
    }
    save();
    services_.progress.drill_started(report_);
  }

  Report run() {
    try {
      phase("prepare", [&] { prepare(); });
      phase("create sandbox", [&] { create_sandbox(); });
      phase("restore", [&] { restore(); });
      phase("recover", [&] { recover_instance(); });
      phase("prove landing", [&] { prove_where_it_landed(); });
      if (wanted(InstanceState::paused)) phase("checks while paused", [&] { check_paused(); });
      finish_checks_beside_restore();
      if (wanted(InstanceState::read_write)) {
        phase("promote", [&] { instance_->promote(stop_); });
        phase("checks after promotion", [&] { check(InstanceState::read_write); });
      }
      if (wanted(InstanceState::stopped)) {
        phase("stop", [&] { stop_instance(); });
        phase("checks while stopped", [&] { check(InstanceState::stopped); });
      }
      conclude();
    } catch (const Error& error) {
      give_up(error);
    } catch (const std::exception& error) {
      give_up(Error(ErrorKind::internal, error.what()));
    }
    tear_down();
    report_.finished = services_.now();
    report_.commands = services_.commands.records();
    save();
    services_.progress.drill_finished(report_);
    return report_;
  }

 private:
  template <typename Action>
  void phase(const std::string& name, const Action& action) {
    if (stop_.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
    const auto expected = expected_.find(name);
    services_.progress.phase_started(
        name, expected == expected_.end() ? std::nullopt : std::optional(expected->second));
    const auto at = report_.phases.size();
    report_.phases.push_back({.name = name});
    const auto began = Clock::now();
    const auto end = [&](bool completed) {
      auto& record = report_.phases[at];
      record.seconds = Seconds(Clock::now() - began).count();
      record.completed = completed;
      services_.progress.phase_finished(record);
      save();
    };
    try {
      action();
    } catch (...) {
      end(false);
      throw;
    }
    end(true);
  }

  void save() {
    report_.commands = services_.commands.records();
    run_.save(report_);
  }

  void prepare() {
    planned_ = plan_checks(scenario_, services_.checks);
    preparation_.take_all(stop_);
    const auto& [backup, reason] = *preparation_.choice;
    report_.tools["backup tool"] = preparation_.tool_version;
    report_.tools["PostgreSQL"] = preparation_.binaries;
    report_.backup = {.label = backup.label,
                      .type = std::string(name_of(backup.type)),
                      .reason = reason,
                      .stanza = scenario_.repository.stanza,
                      .repository_key = backup.repository_key,
                      .postgres_version = backup.postgres_version,
                      .system_identifier = backup.system_identifier,
                      .start_time = backup.start_time,
                      .stop_time = backup.stop_time,
                      .start_lsn = backup.start_lsn,
                      .stop_lsn = backup.stop_lsn,
                      .bytes = backup.size.count};
    window_ = RecoverableWindow{.backup = backup.label,
                                .consistent_from = backup.stop_time,
                                .lineage = *preparation_.lineage};
    context_.emplace(CheckContext{
        .scenario = scenario_,
        .backup = backup,
        .archive = preparation_.archive,
        .repository = services_.repository,
        .primary = services_.primary,
        .drill_started = report_.started,
        .on_progress =
            [this](std::uint64_t done, std::uint64_t total, std::string_view unit) {
              services_.progress.phase_progress(
                  total == 0
                      ? std::nullopt
                      : std::optional(static_cast<double>(done) / static_cast<double>(total)),
                  fmt::format("{} of {} {}", done, total, unit));
            },
        .stop = stop_});
    for (auto& planned : planned_) planned.check->prepare(*context_);
  }

  void create_sandbox() {
    auto spec = scenario_.sandbox;
    spec.run_id = services_.run_id;
    spec.scenario = scenario_.name;
    spec.postgres_major = preparation_.choice->backup.postgres_major;
    sandbox_ = services_.provisioner.create(spec, stop_);
    report_.sandbox.root = sandbox_->paths().root;
  }

  void restore() {
    start_checks_beside_restore();
    rto_began_ = Clock::now();
    const auto& backup = preparation_.choice->backup;
    services_.repository.restore(
        backup, scenario_.target, *sandbox_,
        [&](const RestoreProgress& progress) {
          services_.progress.phase_progress(
              progress.fraction,
              fmt::format("{} of {}", to_text(progress.done), to_text(backup.size)));
        },
        stop_);
    report_.phases.back().bytes = backup.size.count;
    control_ = read_control_data(*sandbox_, sandbox_->paths().data, stop_);
  }

  void recover_instance() {
    instance_ = std::make_unique<Instance>(*sandbox_, run_.logs() / "postgresql.log");
    const auto expected_end = scenario_.target.type == TargetType::lsn
                                  ? *scenario_.target.lsn
                                  : preparation_.lineage->reachable_end;
    try {
      recovery_ = recover({.sandbox = *sandbox_,
                           .instance = *instance_,
                           .repository = services_.repository,
                           .backup = preparation_.choice->backup,
                           .target = scenario_.target,
                           .control = control_,
                           .expected_end = expected_end,
                           .on_progress =
                               [&](std::optional<double> fraction, std::string_view detail) {
                                 services_.progress.phase_progress(fraction, detail);
                               }},
                          stop_);
    } catch (const Error& error) {
      if (verdict_of(error.kind()) != Verdict::fail) throw;
      instance_->kill();
      prove_sandbox_can_start(*sandbox_, control_, run_.logs() / "postgresql-fresh.log", stop_);
      throw;
    }
    control_ = recovery_->control;
    rto_ended_ = Clock::now();
    report_.phases.back().bytes = recovery_->replayed.value > control_.checkpoint_lsn.value
                                      ? recovery_->replayed.value - control_.checkpoint_lsn.value
                                      : 0;
  }

  void prove_where_it_landed() {
    report_.landing = prove_landing({.sandbox = *sandbox_,
                                     .repository = services_.repository,
                                     .backup = preparation_.choice->backup,
                                     .target = scenario_.target,
                                     .recovery = *recovery_,
                                     .lineage = *preparation_.lineage},
                                    stop_);
    context_->sandbox = sandbox_.get();
    context_->control = &control_;
    context_->landing = &*report_.landing;
    context_->connect = [this](const std::string& database) {
      return instance_->connect(database.empty() ? "postgres" : database, ErrorKind::recovery,
                                stop_);
    };
    context_->databases = instance_->databases(stop_);
    context_->instance_log = instance_->log_file();
  }

  [[nodiscard]] bool wanted(InstanceState state) const {
    return std::any_of(planned_.begin(), planned_.end(),
                       [&](const auto& planned) { return planned.state == state; });
  }

  void check(InstanceState state) {
    const auto workers = static_cast<std::size_t>(std::max(2, sandbox_->cpus()));
    record(run_checks(planned_, state, *context_, workers, [this](const CheckRecord& done) {
      services_.progress.check_finished(done);
    }));
  }

  void check_paused() {
    check(InstanceState::paused);
    save();
  }

  void record(std::vector<CheckRecord> records) {
    std::move(records.begin(), records.end(), std::back_inserter(report_.checks));
  }

  // Those that need no instance; they see a context of their own, without one.
  void start_checks_beside_restore() {
    beside_.emplace(*context_);
    beside_thread_ = std::jthread([this] {
      beside_records_ =
          run_checks(planned_, InstanceState::any, *beside_, 1,
                     [this](const CheckRecord& done) { services_.progress.check_finished(done); });
    });
  }

  void finish_checks_beside_restore() {
    if (!beside_thread_.joinable()) return;
    beside_thread_.join();
    record(std::move(beside_records_));
    save();
  }

  void stop_instance() {
    if (wanted(InstanceState::stopped)) {
      files_ = collect_relation_files(context_->databases, context_->connect);
      context_->relation_of_file = [this](const std::string& file) {
        return files_.relation_of(file);
      };
    }
    instance_->stop(stop_);
  }

  void conclude() {
    finish_checks_beside_restore();
    measure_objectives({.scenario = scenario_,
                        .primary = services_.primary,
                        .recovery_took = rto_ended_ - rto_began_},
                       report_, stop_);
    std::vector<Verdict> verdicts;
    for (const auto& done : report_.checks) verdicts.push_back(done.verdict);
    report_.verdict = worst_of(verdicts);
    report_.diagnosis = diagnose_checks(report_, window_);
  }

  void give_up(const Error& error) {
    finish_checks_beside_restore();
    const auto interrupted = stop_.stop_requested() || error.kind() == ErrorKind::interrupted;
    const auto kind = interrupted ? ErrorKind::interrupted : error.kind();
    report_.error_kind = name_of(kind);
    const Error told(kind, error.what(), error.hint(), error.code(), error.object());
    report_.diagnosis = diagnose_error(
        told, window_,
        instance_ ? decisive_lines(instance_->log_lines()) : std::vector<std::string>{});
    std::vector<Verdict> verdicts{verdict_of(kind).value_or(Verdict::unknown)};
    for (const auto& done : report_.checks) verdicts.push_back(done.verdict);
    report_.verdict = worst_of(verdicts);
    for (const auto& planned : planned_) skip(planned, error);
  }

  void skip(const PlannedCheck& planned, const Error& error) {
    const bool done =
        std::any_of(report_.checks.begin(), report_.checks.end(),
                    [&](const auto& record) { return record.name == planned.request.name; });
    if (done) return;
    report_.checks.push_back({.name = planned.request.name,
                              .check = planned.request.check,
                              .verdict = Verdict::skipped,
                              .state = std::string(name_of(planned.state)),
                              .summary = fmt::format("not reached: {}", error.what())});
  }

  void tear_down() {
    if (!sandbox_) {
      report_.sandbox.removed = true;
      return;
    }
    try {
      sandbox_->collect_logs(run_.logs());
    } catch (const std::exception& error) {
      spdlog::warn("logs were not collected: {}", error.what());
    }
    if (keep_ && instance_ && report_.landing) {
      keep_sandbox();
      return;
    }
    phase_of_removal();
  }

  void phase_of_removal() {
    services_.progress.phase_started("destroy sandbox", {});
    PhaseRecord record{.name = "destroy sandbox"};
    const auto began = Clock::now();
    instance_.reset();
    auto removal = sandbox_->destroy();
    record.seconds = Seconds(Clock::now() - began).count();
    record.completed = removal.complete();
    report_.sandbox.removed = removal.complete();
    report_.sandbox.removal = std::move(removal.removed);
    report_.sandbox.remaining = std::move(removal.remaining);
    if (!report_.sandbox.removed && report_.verdict == Verdict::pass) {
      report_.verdict = Verdict::unknown;
      report_.diagnosis = {.summary = "the sandbox could not be removed completely",
                           .code = "PGR-ENV-LEFTOVER",
                           .object = report_.sandbox.root,
                           .blame = "environment",
                           .next_step = "run 'pgrehearse clean'",
                           .evidence = report_.sandbox.remaining};
    }
    services_.progress.phase_finished(record);
    report_.phases.push_back(std::move(record));
  }

  void keep_sandbox() {
    try {
      instance_->leave_running();
      sandbox_->keep();
      report_.sandbox.kept = true;
      const auto server = sandbox_->server();
      report_.sandbox.connect = fmt::format("psql -h {} -p {} -U {} -d postgres", server.at("host"),
                                            server.at("port"), server.at("user"));
    } catch (const std::exception& error) {
      spdlog::error("the instance could not be kept: {}", error.what());
      phase_of_removal();
    }
  }

  const Scenario& scenario_;
  const DrillServices& services_;
  bool keep_;
  std::stop_token stop_;
  RunDirectory run_;
  Report report_;
  std::map<std::string, Seconds> expected_;  // from the last run, by phase
  Preparation preparation_;
  std::optional<RecoverableWindow> window_;
  std::vector<PlannedCheck> planned_;
  std::optional<CheckContext> context_;
  std::optional<CheckContext> beside_;
  RelationFiles files_;
  ControlData control_;
  std::optional<RecoveryOutcome> recovery_;
  Clock::time_point rto_began_;
  Clock::time_point rto_ended_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Instance> instance_;
  std::vector<CheckRecord> beside_records_;
  std::jthread beside_thread_;
};

}  // namespace

Report run_drill(const Scenario& scenario, const DrillServices& services, bool keep,
                 std::stop_token stop) {
  return Drill(scenario, services, keep, std::move(stop)).run();
}

}  // namespace pgrehearse
