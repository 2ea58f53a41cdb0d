#include "harness/kubernetes/pod_drill.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>

#include "harness/common/host_name.hpp"
#include "harness/common/text.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/drill/drill_record.hpp"
#include "harness/drill/sandbox_teardown.hpp"
#include "harness/kubernetes/drill_pod.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

namespace {

constexpr auto default_timeout = std::chrono::hours(24);

Error unusable(const std::string& message, const std::string& hint, const std::string& object) {
  return {ErrorKind::environment, message, hint, FindingCode::env_kubernetes, object};
}

// The last error of pgrehearse in a pod that left no report.
std::string last_error(std::string_view log) {
  std::string error;
  for (const auto line : lines_of(log)) {
    if (line.starts_with("error: ")) error = line.substr(std::string_view("error: ").size());
  }
  return error;
}

class PodDrill {
 public:
  PodDrill(const Scenario& scenario, const DrillServices& services,
           std::optional<std::chrono::milliseconds> timeout, std::stop_token stop)
      : scenario_(scenario),
        services_(services),
        timeout_(timeout),
        stop_(std::move(stop)),
        record_(scenario, services) {}

  Report run() {
    try {
      phase("prepare", [&] { prepare(); });
      phase("start pod", [&] { start(); });
      phase("drill in pod", [&] { follow(); });
      adopt(report_in_log(log_, scenario_.name, pod_->state().exit_code.value_or(-1)));
    } catch (const Error& error) {
      give_up(error);
    } catch (const std::exception& error) {
      give_up(Error(ErrorKind::internal, error.what()));
    }
    planned_.clear();
    delete_pod();
    record_.finish();
    return record_.report;
  }

 private:
  void phase(const std::string& name, const std::function<void()>& action) {
    record_.phase(name, stop_, action);
  }

  void prepare() {
    planned_ = plan_checks(scenario_, services_.checks);
    cluster_.emplace(KubernetesCluster::resolve(services_.commands, *scenario_.kubernetes, stop_));
    record_.report.tools["Kubernetes"] = cluster_->probe(stop_);
    request_.emplace(pod_request(scenario_, services_.run_id, services_.state,
                                 pod_storage(scenario_, services_.repository, stop_), timeout_));
    request_->kubernetes.context = cluster_->context();
    request_->kubernetes.name_space = cluster_->name_space();
  }

  void start() {
    pod_ = std::make_unique<DrillPod>(*cluster_, services_.state, *request_, stop_);
    record_.report.sandbox.root = fmt::format("{}/{}", cluster_->address(), name());
    pod_->create(record_.logs() / "job.yaml", stop_);
    pod_->await_start([this](std::string_view line) { tell(line); }, stop_);
  }

  void follow() {
    const auto ended = pod_->follow([this](std::string_view line) { tell(line); }, stop_);
    if (ended.phase != PodState::Phase::ended || ended.reason == "Evicted") {
      throw pod_error(ended, *request_);
    }
    log_ = pod_->log(stop_);
    if (log_.find(pod_report_mark) != std::string::npos) return;
    const auto error = last_error(log_);
    if (error.empty()) throw pod_error(ended, *request_);
    throw unusable(fmt::format("pgrehearse in the pod failed: {}", error),
                   "see logs/pod.log in the run directory", ended.pod);
  }

  // The report of the pod becomes this drill's report, except for what only this side knows.
  void adopt(Report inside) {
    if (inside.error_kind == name_of(ErrorKind::interrupted)) {
      throw unusable("the pod was stopped before its drill finished",
                     "it was deleted, or its node was drained", pod_->state().pod);
    }
    auto& report = record_.report;
    report.verdict = inside.verdict;
    report.error_kind = inside.error_kind;
    report.diagnosis = std::move(inside.diagnosis);
    report.backup = std::move(inside.backup);
    report.landing = std::move(inside.landing);
    report.rto = std::move(inside.rto);
    report.rpo = std::move(inside.rpo);
    report.comparison = std::move(inside.comparison);
    for (auto& [tool, version] : inside.tools) {
      report.tools[tool == "pgrehearse" ? "pgrehearse in the pod" : tool] = std::move(version);
    }
    // The phases of the pod's drill replace the phase in which this process waited for it.
    report.phases.pop_back();
    for (auto& done : inside.phases) {
      services_.progress.phase_finished(done);
      report.phases.push_back(std::move(done));
    }
    for (const auto& check : inside.checks) services_.progress.check_finished(check);
    report.checks = std::move(inside.checks);
    services_.commands.adopt(std::move(inside.commands));
    record_.save();
  }

  void give_up(const Error& error) {
    record_.give_up(
        {.error = error,
         .interrupted = stop_.stop_requested() || error.kind() == ErrorKind::interrupted,
         .planned = planned_,
         .evidence = evidence()},
        {});
  }

  [[nodiscard]] std::vector<std::string> evidence() const {
    if (!pod_) return {};
    auto lines = pod_->cluster().events(services_.run_id);
    constexpr std::size_t most = 5;
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - most);
    lines.insert(lines.begin(), "pod " + pod_->state().description());
    return lines;
  }

  void save_log() {
    const auto phase = pod_->state().phase;
    if (phase != PodState::Phase::running && phase != PodState::Phase::ended) return;
    try {
      if (log_.empty()) log_ = pod_->log({});
      std::ofstream(record_.logs() / "pod.log") << log_;
    } catch (const std::exception& error) {
      spdlog::warn("the log of the pod was not collected: {}", error.what());
    }
  }

  void delete_pod() {
    if (!pod_) {
      record_.report.sandbox.removed = true;
      return;
    }
    record_removal(
        {.name = "delete pod",
         .complaint = "objects of the drill in the cluster could not be removed"},
        [this] {
          save_log();
          return pod_->destroy();
        },
        record_);
  }

  void tell(std::string_view line) {
    if (line.starts_with(pod_report_mark)) return;
    services_.progress.phase_progress({}, line);
  }

  [[nodiscard]] std::string name() const { return pod_name(services_.run_id); }

  const Scenario& scenario_;
  const DrillServices& services_;
  std::optional<std::chrono::milliseconds> timeout_;
  std::stop_token stop_;
  DrillRecord record_;
  std::vector<PlannedCheck> planned_;
  std::optional<KubernetesCluster> cluster_;
  std::optional<PodRequest> request_;
  std::unique_ptr<DrillPod> pod_;
  std::string log_;
};

}  // namespace

Report run_drill_in_pod(const Scenario& scenario, const DrillServices& services,
                        std::optional<std::chrono::milliseconds> timeout, std::stop_token stop) {
  return PodDrill(scenario, services, timeout, std::move(stop)).run();
}

Bytes pod_storage(const Scenario& scenario, BackupRepository& repository, std::stop_token stop) {
  if (scenario.kubernetes->storage) return *scenario.kubernetes->storage;
  try {
    const auto list = repository.list(std::move(stop));
    const auto size = choose_backup(list, scenario.repository, scenario.target).backup.size.count;
    constexpr std::uint64_t for_wal_and_logs = std::uint64_t{2} << 30U;
    return {size + size / 4 + for_wal_and_logs};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    throw unusable(fmt::format("cannot determine the size of the pod's volume: {}", error.what()),
                   "set sandbox.kubernetes.storage", "sandbox.kubernetes.storage");
  }
}

PodRequest pod_request(const Scenario& scenario, const std::string& run_id,
                       const std::filesystem::path& state, Bytes storage,
                       std::optional<std::chrono::milliseconds> timeout) {
  // The deadline of this process passes first; its error is more specific.
  constexpr auto margin = std::chrono::minutes(5);
  const auto time =
      std::chrono::ceil<std::chrono::seconds>(timeout.value_or(default_timeout)) + margin;
  PodRequest request{.spec = scenario.sandbox,
                     .kubernetes = *scenario.kubernetes,
                     .owner = cluster_owner(Registry(state), host_name()),
                     .scenario = scenario.inside_pod,
                     .storage = storage,
                     .expires = std::chrono::system_clock::now() + time + std::chrono::hours(1),
                     .deadline = time};
  request.spec.run_id = run_id;
  request.spec.scenario = scenario.name;
  if (scenario.repository.configuration) {
    request.configuration_directory = scenario.repository.configuration->parent_path();
  }
  return request;
}

Report report_in_log(std::string_view log, const std::string& scenario, int exit_code) {
  std::string_view text;
  for (const auto line : lines_of(log)) {
    if (line.starts_with(pod_report_mark)) text = line.substr(pod_report_mark.size());
  }
  if (text.empty()) {
    throw unusable("no report in the log of the pod", "see logs/pod.log in the run directory",
                   "pod.log");
  }
  Report report;
  try {
    report = report_from_json(std::string(text));
  } catch (const Error& error) {
    throw unusable(fmt::format("cannot read the report in the log of the pod: {}", error.what()),
                   "use the same version of pgrehearse in the image", "pod.log");
  }
  if (report.scenario.name != scenario || !report.finished) {
    throw unusable("the report in the log of the pod belongs to another drill or is incomplete",
                   "see logs/pod.log in the run directory", "pod.log");
  }
  // No evidence is never a pass: a pass needs both report and exit code.
  if ((report.verdict == Verdict::pass) != (exit_code == 0)) {
    throw unusable(fmt::format("the pod exited with code {}, but the verdict in its report is {}",
                               exit_code, name_of(report.verdict)),
                   "see logs/pod.log in the run directory", "pod.log");
  }
  return report;
}

}  // namespace pgrehearse
