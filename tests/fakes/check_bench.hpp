// The context of a check, built by a test: each part can be set on its own.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/drill/check.hpp"
#include "harness/drill/pause_point.hpp"
#include "harness/report/finding_codes.hpp"
#include "tests/fakes/scripted_sandbox.hpp"

namespace pgrehearse {

// A repository that no check under test may touch: every call throws.
class UntouchedRepository : public BackupRepository {
 public:
  std::string version(std::stop_token) override { throw_touched(); }
  BackupList list(std::stop_token) override { throw_touched(); }
  std::optional<std::uint64_t> wal_segment_size(const Backup&, std::stop_token) override {
    throw_touched();
  }
  ArchiveListing list_archive(const Backup&, std::uint64_t, std::stop_token) override {
    throw_touched();
  }
  void restore(const Backup&, const RecoveryTarget&, Sandbox&,
               const std::function<void(const RestoreProgress&)>&, std::stop_token) override {
    throw_touched();
  }
  std::vector<std::string> archive_get(const Backup&, const Sandbox&, WalFetch) override {
    throw_touched();
  }
  RepositoryAccess access() override { throw_touched(); }
  Verification verify(const Backup&, std::stop_token) override { throw_touched(); }

 private:
  [[noreturn]] static void throw_touched() {
    throw Error(ErrorKind::internal, "this check must not touch the repository");
  }
};

struct CheckBench {
  Scenario scenario;
  Backup backup;
  ArchiveListing archive;
  Sandbox* sandbox = nullptr;            // nullptr: one in which no command may be run
  const ControlData* control = nullptr;  // nullptr: an empty one
  Landing landing;
  std::unique_ptr<BackupRepository> repository = std::make_unique<UntouchedRepository>();
  Primary* primary = nullptr;
  std::optional<PrimaryIdentity> primary_at_start;
  std::optional<PrimaryState> state_at_start;
  std::function<Connection(const std::string& database)> connect;
  std::vector<std::string> databases;
  std::filesystem::path log;
  bool log_complete = true;
  std::function<std::optional<std::string>(const std::string& file)> relation_of_file =
      [](const std::string&) { return std::nullopt; };
  Instant drill_started;
  std::optional<Instant> landed_at;   // nullopt: when the drill started
  std::vector<std::string> progress;  // "3/14 tables", as the check reported it

  RepositoryContext repository_context() {
    return {.scenario = scenario,
            .backup = backup,
            .archive = archive,
            .repository = *repository,
            .primary = primary,
            .primary_at_start = primary_at_start,
            .drill_started = drill_started,
            .on_progress =
                [this](std::uint64_t done, std::uint64_t total, std::string_view unit) {
                  progress.push_back(std::to_string(done) + "/" + std::to_string(total) + " " +
                                     std::string(unit));
                },
            .stop = {}};
  }
  InstanceContext instance_context() {
    return {
        repository_context(), sandbox_or_untouched(), control_or_empty(), connect, databases, log,
        log_complete};
  }
  CheckContext context(InstanceState state) {
    switch (state) {
      case InstanceState::any:
        return repository_context();
      case InstanceState::paused:
      case InstanceState::read_write:
        loss_ = measure_data_loss({.target = scenario.target,
                                   .backup = backup,
                                   .landing = landing,
                                   .drill_started = drill_started,
                                   .landed_at = landed_at.value_or(drill_started),
                                   .primary = primary,
                                   .identity = primary_at_start,
                                   .state = state_at_start,
                                   .connect_copy = [this] { return connect({}); }},
                                  {});
        return LandedContext{instance_context(), landing, loss_};
      case InstanceState::stopped:
        return StoppedContext{repository_context(), sandbox_or_untouched(), control_or_empty(),
                              relation_of_file};
    }
    throw std::logic_error("no such state");
  }
  // As in a drill in which recovery reaches every pause point.
  CheckOutcome run(const CheckDescription& description, const Settings& settings = {}) {
    const auto check = description.create(settings);
    check->before_restore(RestoreContext{repository_context(), {}});
    if (auto* visitor = check->pause_point_visitor()) {
      for (const auto& point : visitor->pause_points(repository_context())) {
        visitor->at_pause_point(instance_context(), point);
      }
    }
    const auto state =
        description.state_for != nullptr ? description.state_for(settings) : description.state;
    return check->run_in(context(state));
  }

 private:
  Sandbox& sandbox_or_untouched() { return sandbox != nullptr ? *sandbox : untouched_sandbox_; }
  const ControlData& control_or_empty() const { return control != nullptr ? *control : empty_; }

  ScriptedCommandRunner no_commands_;
  ScriptedSandbox untouched_sandbox_{no_commands_};
  ControlData empty_;
  DataLoss loss_;
};

// Settings as the scenario's parser would give them.
inline Settings settings_of(
    std::initializer_list<std::pair<std::string_view, SettingValue>> values) {
  Settings settings;
  for (const auto& [key, value] : values) settings.set(std::string(key), value);
  return settings;
}

// Whether the verdict is the one that the severities of the findings lead to.
inline bool verdict_agrees_with_findings(const CheckOutcome& outcome) {
  const auto has = [&](Severity severity) {
    return std::ranges::any_of(
        outcome.findings, [&](const auto& finding) { return severity_of(finding) == severity; });
  };
  switch (outcome.verdict) {
    case Verdict::fail:
      return has(Severity::error);
    case Verdict::unknown:
      return !has(Severity::error);
    case Verdict::pass:
    case Verdict::skipped:
      return !has(Severity::error) && !has(Severity::unknown);
  }
  return false;
}

// "PGR-INDEX-INVALID shop.public.orders_pkey", one per finding.
inline std::vector<std::string> codes_and_objects(const CheckOutcome& outcome) {
  std::vector<std::string> texts;
  for (const auto& finding : outcome.findings) {
    texts.push_back(fmt::format("{} {}", text_of(finding.code), finding.object));
  }
  return texts;
}

}  // namespace pgrehearse
