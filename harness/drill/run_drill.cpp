#include "harness/drill/run_drill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "harness/common/text.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/drill/drill_record.hpp"
#include "harness/drill/expired_backup.hpp"
#include "harness/drill/objectives/data_loss.hpp"
#include "harness/drill/objectives/objectives.hpp"
#include "harness/drill/objectives/unstored_wal.hpp"
#include "harness/drill/pause_points.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/drill/recovery/landing_proof.hpp"
#include "harness/drill/recovery/recovery.hpp"
#include "harness/drill/recovery/recovery_failure.hpp"
#include "harness/drill/recovery/replay_locks.hpp"
#include "harness/drill/recovery/sandbox_proof.hpp"
#include "harness/drill/sandbox_teardown.hpp"
#include "harness/postgres/relation_files.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/archived_commits.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

bool any(const std::vector<FinishedCheck>& checks, Verdict verdict) {
  return std::ranges::any_of(checks,
                             [&](const auto& check) { return check.record.verdict == verdict; });
}

class Drill {
 public:
  Drill(const Scenario& scenario, const DrillServices& services, bool keep, std::stop_token stop)
      : scenario_(scenario),
        services_(services),
        keep_(keep),
        stop_(std::move(stop)),
        record_(scenario, services),
        preparation_(scenario,
                     {.repository = services.repository,
                      .provisioner = services.provisioner,
                      .primary = services.primary},
                     services.state) {}

  Report run() {
    try {
      phase("prepare", [&] { prepare(); });
      phase("create sandbox", [&] { create_sandbox(); });
      phase("restore", [&] { restore(); });
      visit_pause_points();
      phase("recover", [&] { recover_to_target(); });
      phase("prove landing", [&] { prove_landing(); });
      if (!recovery_->promoted_because.empty()) run_paused_checks_after_promotion();
      if (services_.at_landing) use_landing();
      instance_->end_session();
      if (wanted(InstanceState::paused)) phase("checks while paused", [&] { check_paused(); });
      finish_repository_checks();
      if (wanted(InstanceState::read_write) || promotion_wanted()) promote();
      if (wanted(InstanceState::read_write)) {
        phase("checks after promotion", [&] { check(InstanceState::read_write, *landed_); });
      }
      if (wanted(InstanceState::stopped)) {
        phase("stop", [&] { stop_instance(); });
        phase("checks while stopped", [&] { check(InstanceState::stopped, stopped_context()); });
      }
      conclude();
    } catch (const Error& error) {
      give_up(root_cause(error));
    } catch (const std::exception& error) {
      give_up(Error(ErrorKind::internal, error.what()));
    }
    // Stop background checks before the sandbox they read from is destroyed.
    planned_.clear();
    end_sandbox({.sandbox = sandbox_, .instance = instance_}, keep_, record_);
    record_.finish();
    return record_.report;
  }

 private:
  void phase(const std::string& name, const std::function<void()>& action) {
    record_.phase(name, stop_, action);
  }

  void prepare() {
    planned_ = plan_checks(scenario_, services_.checks);
    preparation_.take_all(stop_);
    scenario_.target = preparation_.target;
    record_.prepared(preparation_, scenario_.repository);
    const auto& backup = preparation_.choice->backup;
    window_ = RecoverableWindow{.backup = backup.label,
                                .consistent_from = backup.stop_time,
                                .lineage = *preparation_.lineage};
  }

  void create_sandbox() {
    auto spec = preparation_.sandbox_spec();
    spec.run_id = services_.run_id;
    sandbox_ = services_.provisioner->create(spec, stop_);
    record_.report.sandbox.root = sandbox_->paths().root;
    record_.report.tools["PostgreSQL"] = server_version();
    record_.report.sandbox.isolation = sandbox_->isolation().in_force;
    commits_ = std::make_unique<ArchivedCommits>(
        *sandbox_, services_.repository, preparation_.choice->backup, preparation_.segment_size);
    context_.emplace(restore_context());
    for (auto& planned : planned_) planned.check->before_restore(*context_);
  }

  // "15.14 (Debian 15.14-0+deb12u1)"; what the command printed where that is something else.
  [[nodiscard]] std::string server_version() {
    const auto result = sandbox_->run(
        {.program = sandbox_->program("postgres"), .arguments = {"--version"}}, stop_);
    throw_if_cancelled(result);
    constexpr std::string_view name = "postgres (PostgreSQL) ";
    const auto text = trim(result.output);
    return std::string(text.starts_with(name) ? text.substr(name.size()) : text);
  }

  [[nodiscard]] RestoreContext restore_context() {
    return {{.scenario = scenario_,
             .backup = preparation_.choice->backup,
             .archive = preparation_.archive,
             .repository = services_.repository,
             .primary = services_.primary,
             .primary_at_start = preparation_.primary_identity,
             .drill_started = record_.report.started,
             .on_progress =
                 [this](std::uint64_t done, std::uint64_t total, std::string_view unit) {
                   services_.progress.phase_progress(
                       total == 0
                           ? std::nullopt
                           : std::optional(static_cast<double>(done) / static_cast<double>(total)),
                       fmt::format("{} of {} {}", done, total, unit));
                 },
             .stop = stop_},
            [this](Timeline timeline, Lsn begin, Lsn end, const std::stop_token& stop) {
              return commits_->read(timeline, begin, end, stop);
            }};
  }

  void restore() {
    start_repository_checks();
    const auto began = Clock::now();
    const auto& backup = preparation_.choice->backup;
    services_.repository.restore(
        backup, standby() ? latest() : scenario_.target, *sandbox_,
        [&](const RestoreProgress& progress) {
          services_.progress.phase_progress(
              progress.fraction,
              fmt::format("{} of {}{}", to_text(progress.done), to_text(backup.size),
                          rate_in_words(progress.done, Clock::now() - began)));
        },
        stop_);
    record_.report.phases.back().bytes = backup.size.count;
    control_ = read_control_data(*sandbox_, sandbox_->paths().data, stop_);
    recovery_took_ += Clock::now() - began;
    instance_ = std::make_unique<Instance>(*sandbox_, record_.logs() / "postgresql.log");
  }

  // Pause recovery at the positions that checks and others asked for.
  void visit_pause_points() {
    auto visitors = services_.pause_point_visitors;
    for (auto& planned : planned_) {
      if (auto* visitor = planned.check->pause_point_visitor()) visitors.push_back(visitor);
    }
    if (visitors.empty()) return;
    std::optional<PausePoints> points;
    phase("find pause points", [&] { points.emplace(visitors, *context_); });
    for (const auto& point : points->all()) {
      auto reason = unreachable_reason(point, {.target = scenario_.target,
                                               .backup = preparation_.choice->backup,
                                               .lineage = *preparation_.lineage});
      if (!reason && services_.primary != nullptr &&
          point.lsn >= preparation_.lineage->archive_end) {
        reason = unstored_reason(*services_.primary, point.lsn, preparation_.archive,
                                 preparation_.choice->backup, services_.repository, stop_);
      }
      if (!reason) phase("recover to pause point", [&] { reason = recover_to(point); });
      if (reason) {
        points->unreachable(point, *reason);
      } else {
        phase("at pause point", [&] { points->reached(instance_context(), point); });
        if (services_.after_pause_point) {
          phase("copy", [&] { services_.after_pause_point(*sandbox_, point); });
        }
      }
    }
  }

  // Why the instance is not at `point` afterwards; nullopt: it is.
  std::optional<std::string> recover_to(const PausePoint& point) {
    if (standby()) {
      recover_instance(latest(), point.lsn);
    } else {
      recover_instance(target_at(point, scenario_.target));
    }
    if (!recovery_->promoted_because.empty()) {
      throw Error(ErrorKind::environment,
                  fmt::format("recovery cannot pause at {}: {}", to_text(point.lsn),
                              recovery_->promoted_because),
                  "run the drill again, or without the check that pauses recovery",
                  FindingCode::snapshot_pending, to_text(point.lsn));
    }
    if (recovery_->gave_up) return recovery_->gave_up;
    if (standby() && !is_at(recovery_->replayed, point.lsn)) {
      return fmt::format("recovery is already at {}, past {}", to_text(recovery_->replayed),
                         to_text(point.lsn));
    }
    return {};
  }

  void recover_to_target() {
    if (!services_.stay_standby) return recover_instance(scenario_.target);
    const auto lsn = scenario_.target.lsn.value();
    recover_instance(latest(), lsn);
    if (recovery_->gave_up) {
      throw Error(ErrorKind::recovery, *recovery_->gave_up,
                  "'pgrehearse map' shows what can be recovered", FindingCode::target_not_reached,
                  to_text(lsn));
    }
    recovery_->stopped_at = fmt::format("no WAL was supplied from {} on", to_text(lsn));
  }

  [[nodiscard]] bool standby() const {
    return services_.stay_standby || scenario_.target.type == TargetType::latest;
  }
  [[nodiscard]] RecoveryTarget latest() const { return {.timeline = scenario_.target.timeline}; }

  void recover_instance(const RecoveryTarget& target, std::optional<Lsn> until = {}) {
    const auto expected_end = target.type == TargetType::lsn
                                  ? *target.lsn
                                  : until.value_or(preparation_.lineage->reachable_end);
    const auto from = recovery_ ? recovery_->replayed : control_.checkpoint_lsn;
    try {
      recovery_ =
          recover({.sandbox = *sandbox_,
                   .instance = *instance_,
                   .repository = services_.repository,
                   .backup = preparation_.choice->backup,
                   .target = target,
                   .control = control_,
                   .expected_end = expected_end,
                   .on_progress =
                       [&](std::optional<double> fraction, std::string_view detail) {
                         services_.progress.phase_progress(fraction, detail);
                       },
                   .resume_from = recovery_ ? std::optional(recovery_->replayed) : std::nullopt,
                   .standby = standby(),
                   .until = until,
                   .fetched = services_.fetched},
                  stop_);
    } catch (const Error& error) {
      if (verdict_of(error.kind()) != Verdict::fail) throw;
      instance_->kill();
      sandbox_->require_sound(stop_);
      prove_sandbox_can_start(*sandbox_, control_, record_.logs() / "postgresql-fresh.log", stop_);
      throw;
    }
    control_ = recovery_->control;
    recovery_took_ += recovery_->took;
    record_.report.phases.back().bytes =
        recovery_->replayed > from ? recovery_->replayed.value - from.value : 0;
  }

  void prove_landing() {
    record_.report.landing = pgrehearse::prove_landing({.sandbox = *sandbox_,
                                                        .repository = services_.repository,
                                                        .backup = preparation_.choice->backup,
                                                        .target = scenario_.target,
                                                        .recovery = *recovery_,
                                                        .lineage = *preparation_.lineage},
                                                       stop_);
    if (services_.stay_standby) {
      auto& landing = *record_.report.landing;
      landing.proof =
          fmt::format("replayed to {}; {}", to_text(*landing.lsn), recovery_->stopped_at);
    }
    landed_.emplace(LandedContext{instance_context(), *record_.report.landing, loss_});
    loss_ = measure_data_loss({.target = scenario_.target,
                               .backup = preparation_.choice->backup,
                               .landing = *record_.report.landing,
                               .drill_started = record_.report.started,
                               .landed_at = services_.now(),
                               .primary = services_.primary,
                               .identity = preparation_.primary_identity,
                               .state = preparation_.primary_state,
                               .connect_copy = [this] { return landed_->connect({}); }},
                              stop_);
  }

  void promote() {
    if (promoted_) return;
    phase("promote", [&] { instance_->promote(stop_); });
    promoted_ = true;
  }

  void use_landing() {
    const auto locked = relations_locked_by_replay(landed_->session());
    if (!locked.empty() && recovery_->promoted_because.empty()) {
      promote();
      auto& landing = *record_.report.landing;
      landing.proof += fmt::format(
          "; promoted, because a transaction that had not committed here holds locks on {}",
          locked);
      run_paused_checks_after_promotion();
    }
    phase("at target", [&] { services_.at_landing(*landed_, record_.report); });
  }

  [[nodiscard]] InstanceContext instance_context() {
    auto connect = [this](const std::string& database) {
      return instance_->connect(database, ErrorKind::recovery, stop_);
    };
    return {*context_,
            *sandbox_,
            control_,
            std::move(connect),
            instance_->databases(stop_),
            instance_->log_file(),
            instance_->log_complete(),
            [this]() -> Connection& { return instance_->session(ErrorKind::recovery, stop_); }};
  }

  [[nodiscard]] StoppedContext stopped_context() {
    return {*context_, *sandbox_, control_,
            [this](const std::string& file) { return files_.relation_of(file); }};
  }

  // They are InstanceChecks, which run in both states.
  void run_paused_checks_after_promotion() {
    for (auto& planned : planned_) {
      if (planned.state == InstanceState::paused) planned.state = InstanceState::read_write;
    }
  }

  [[nodiscard]] bool wanted(InstanceState state) const {
    return std::any_of(planned_.begin(), planned_.end(),
                       [&](const auto& planned) { return planned.state == state; });
  }

  [[nodiscard]] bool promotion_wanted() const {
    return std::any_of(planned_.begin(), planned_.end(),
                       [](const auto& planned) { return planned.description->promotes; });
  }

  void check(InstanceState state, const CheckContext& context) {
    const auto workers = static_cast<std::size_t>(std::max(2, sandbox_->cpus()));
    auto finished = run_checks(planned_, state, context, workers, [this](const CheckRecord& done) {
      services_.progress.check_finished(done);
    });
    const bool inconclusive = any(finished, Verdict::unknown) && !any(finished, Verdict::fail);
    record_.add(std::move(finished));
    if (inconclusive) sandbox_->require_sound(stop_);
  }

  void check_paused() {
    check(InstanceState::paused, *landed_);
    record_.save();
  }

  // Checks that need no instance run in parallel with the restore.
  void start_repository_checks() {
    repository_thread_ = std::jthread([this] {
      repository_checks_ =
          run_checks(planned_, InstanceState::any, RepositoryContext(*context_), 1,
                     [this](const CheckRecord& done) { services_.progress.check_finished(done); });
    });
  }

  void finish_repository_checks() {
    if (!repository_thread_.joinable()) return;
    repository_thread_.join();
    if (any(repository_checks_, Verdict::fail) && expired()) {
      excuse_expired_backup(preparation_.choice->backup.label, repository_checks_);
    }
    record_.add(std::move(repository_checks_));
    record_.save();
  }

  void stop_instance() {
    files_ = collect_relation_files(landed_->databases, landed_->connect);
    prepare_stop(planned_, *landed_);
    instance_->stop(stop_);
  }

  void conclude() {
    finish_repository_checks();
    measure_objectives({.scenario = scenario_, .loss = loss_, .recovery_took = recovery_took_},
                       record_.report);
    const auto& landing = *record_.report.landing;
    if (!landing.damaged.empty()) window_->lineage.reachable_end = *landing.lsn;
    record_.conclude(window_);
  }

  // A broken sandbox is no evidence against the backup; nor is the removal of a backup that is
  // being restored.
  [[nodiscard]] Error root_cause(const Error& error) {
    if (!sandbox_ || error.kind() == ErrorKind::interrupted) return error;
    try {
      sandbox_->require_sound(stop_);
    } catch (const Error& cause) {
      return cause;
    }
    if (verdict_of(error.kind()) != Verdict::fail || !expired()) return error;
    return expired_during_drill(preparation_.choice->backup.label, error);
  }

  [[nodiscard]] bool expired() {
    return backup_expired(services_.repository, preparation_.choice->backup.label, stop_);
  }

  void give_up(const Error& error) {
    finish_repository_checks();
    // The error says where recovery ends; the archive's listing does not show it.
    const bool ends_earlier =
        error.code() == FindingCode::wal_damaged || error.code() == FindingCode::wal_level_minimal;
    if (ends_earlier) window_.reset();
    record_.give_up(
        {.error = error,
         .interrupted = stop_.stop_requested() || error.kind() == ErrorKind::interrupted,
         .planned = planned_,
         .evidence =
             instance_ ? decisive_lines(instance_->log_lines()) : std::vector<std::string>{}},
        window_);
  }

  Scenario scenario_;  // once prepared, with the target that was chosen
  const DrillServices& services_;
  bool keep_;
  std::stop_token stop_;
  DrillRecord record_;
  Preparation preparation_;
  std::optional<RecoverableWindow> window_;
  std::vector<PlannedCheck> planned_;
  std::optional<RestoreContext> context_;
  DataLoss loss_;
  std::optional<LandedContext> landed_;
  RelationFiles files_;
  bool promoted_ = false;  // on request; see also RecoveryOutcome::promoted_because
  ControlData control_;
  std::optional<RecoveryOutcome> recovery_;
  Seconds recovery_took_{0};  // without the time at pause points
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<ArchivedCommits> commits_;
  std::unique_ptr<Instance> instance_;
  std::vector<FinishedCheck> repository_checks_;
  std::jthread repository_thread_;  // last: joined before the members it uses are destroyed
};

}  // namespace

Report run_drill(const Scenario& scenario, const DrillServices& services, bool keep,
                 std::stop_token stop) {
  return Drill(scenario, services, keep, std::move(stop)).run();
}

}  // namespace pgrehearse
