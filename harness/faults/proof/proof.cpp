#include "harness/faults/proof/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/laboratory/scenario_text.hpp"
#include "harness/report/finding_codes.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

// Runs without a fault are alike: this many are enough to evaluate the baselines.
constexpr std::size_t enough_for_baselines = 10;

struct Named {
  FindingCode code = FindingCode::none;
  std::string text;  // object and details, which must name the damaged object
};

std::vector<Named> findings_of(const Report& report) {
  std::vector<Named> all;
  for (const auto& check : report.checks) {
    for (const auto& finding : check.findings) {
      std::string text = check.name + " " + finding.object + " " + finding.message;
      for (const auto& [name, value] : finding.details) text += " " + value;
      all.push_back({finding.code, text});
    }
  }
  return all;
}

using Codes = std::vector<FindingCode>;

bool fits(const ExpectedFinding& expected, const Codes& alternatives, FindingCode code,
          const std::string& text) {
  const bool right = code == expected.code || std::find(alternatives.begin(), alternatives.end(),
                                                        code) != alternatives.end();
  return right && text.find(expected.object) != std::string::npos;
}

std::string in_words(const ExpectedFinding& expected) {
  return std::string(text_of(expected.code)) +
         (expected.object.empty() ? "" : " " + expected.object);
}

// Whether a line of evidence ("also: check wal_continuity failed: ...") names the object.
bool is_evidence(const Diagnosis& diagnosis, const ExpectedFinding& expected) {
  return !expected.object.empty() &&
         std::any_of(diagnosis.evidence.begin(), diagnosis.evidence.end(), [&](const auto& line) {
           return line.starts_with("also: ") && line.find(expected.object) != std::string::npos;
         });
}

std::string missing_in(const Report& report, InjectedIn where, const FaultResult& result) {
  const auto& wanted = result.fault.expect.verdict;
  if (report.verdict != wanted) {
    return fmt::format("the verdict is {}, not {}", name_of(report.verdict), name_of(wanted));
  }
  const auto& error = result.fault.expect.error;
  if (!error.empty() && report.error_kind != error) {
    return fmt::format("the drill did not end with an error of kind {}", error);
  }
  const auto findings = findings_of(report);
  const auto& diagnosis = report.diagnosis;
  const auto alternatives = where == InjectedIn::copy ? result.fault.expect.alternatives : Codes();
  for (const auto& expected : result.expected) {
    const auto text = diagnosis.object + " " + diagnosis.summary;
    const bool found = fits(expected, alternatives, diagnosis.code, text) ||
                       std::any_of(findings.begin(), findings.end(), [&](const auto& finding) {
                         return fits(expected, alternatives, finding.code, finding.text);
                       });
    if (!found) return fmt::format("no finding {}", in_words(expected));
  }
  if (wanted == Verdict::pass) return {};
  const bool named =
      std::any_of(result.expected.begin(), result.expected.end(), [&](const auto& expected) {
        return fits(expected, alternatives, diagnosis.code, diagnosis.object + diagnosis.summary) ||
               (where == InjectedIn::copy && is_evidence(diagnosis, expected));
      });
  if (!named && !result.expected.empty()) {
    return fmt::format("the diagnosis is {} {}", text_of(diagnosis.code), diagnosis.object);
  }
  return {};
}

Codes codes_of(const Report& report) {
  Codes codes;
  const auto add = [&](FindingCode code) {
    const bool known = std::find(codes.begin(), codes.end(), code) != codes.end();
    if (code != FindingCode::none && !known) codes.push_back(code);
  };
  add(report.diagnosis.code);
  for (const auto& finding : findings_of(report)) add(finding.code);
  return codes;
}

// Every file with its size and modification time.
std::string listing_of(const std::filesystem::path& repository) {
  namespace fs = std::filesystem;
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(
           repository, fs::directory_options::skip_permission_denied)) {
    const auto when = fs::last_write_time(entry.symlink_status().type() == fs::file_type::symlink
                                              ? entry.path().parent_path()
                                              : entry.path());
    const auto size = entry.is_regular_file() ? entry.file_size() : 0;
    lines.push_back(
        fmt::format("{} {} {}\n", entry.path().native(), size, when.time_since_epoch().count()));
  }
  std::sort(lines.begin(), lines.end());
  return join(lines, "");
}

class Proof {
 public:
  Proof(const std::vector<Fault>& faults, FaultTestbed& testbed, const ProofOptions& options,
        std::stop_token stop)
      : testbed_(testbed), options_(options), stop_(std::move(stop)) {
    score_.tool = options.tool;
    score_.faults.resize(faults.size());
    score_.clean_runs.resize(std::min(options.clean_runs.value_or(faults.size()), faults.size()));
    for (std::size_t index = 0; index < faults.size(); ++index) {
      score_.faults[index].fault = faults[index];
      jobs_.push_back({&faults[index], false, index});
      if (index >= score_.clean_runs.size()) continue;
      score_.clean_runs[index].name = faults[index].name;
      jobs_.push_back({&faults[index], true, index});
    }
  }

  ProofScore run() {
    const auto began = Clock::now();
    if (!options_.on_control || run_control()) {
      std::vector<std::jthread> workers;
      const auto number =
          std::min<std::size_t>(jobs_.size(), static_cast<std::size_t>(std::max(1, options_.jobs)));
      for (std::size_t i = 0; i < number; ++i) workers.emplace_back([this] { work(); });
    }
    throw_if_stopped(stop_);
    if (first_) score_.clean_runs.insert(score_.clean_runs.begin(), std::move(*first_));
    score_.seconds = Seconds(Clock::now() - began).count();
    return std::move(score_);
  }

 private:
  struct Job {
    const Fault* fault = nullptr;
    bool control = false;
    std::size_t index = 0;  // index in the results
  };

  void work() {
    while (!stop_.stop_requested()) {
      const auto number = next_.fetch_add(1);
      if (number >= jobs_.size()) return;
      const auto& job = jobs_[number];
      const auto name = fmt::format("{}{}", job.control ? "c" : "f", job.index + 1);
      if (job.control) {
        run_clean(job, name);
      } else {
        run_fault(job, name);
      }
    }
  }

  // Runs the drill without a fault. Faults are injected only if it passes.
  bool run_control() {
    if (score_.faults.empty()) return false;
    CleanRun control{.name = "scenario without a fault"};
    const auto began = Clock::now();
    const auto injected = testbed_.control_of(score_.faults.front().fault, "control", stop_);
    const auto report = rehearse(*injected);
    control.verdict = report.verdict;
    control.diagnosis = report.diagnosis;
    control.seconds = Seconds(Clock::now() - began).count();
    if (options_.on_clean_run) options_.on_clean_run(control);
    const bool passed = control.verdict == Verdict::pass;
    score_.stopped_by_control = !passed;
    if (passed) {
      options_.on_control(report);
    } else {
      score_.faults.clear();
      score_.clean_runs.clear();
    }
    first_.emplace(std::move(control));
    return passed;
  }

  void run_clean(const Job& job, const std::string& name) {
    auto& result = score_.clean_runs[job.index];
    const auto began = Clock::now();
    try {
      const auto injected = testbed_.control_of(*job.fault, name, stop_);
      const auto report = rehearse(*injected);
      result.verdict = report.verdict;
      result.diagnosis = report.diagnosis;
      if (options_.baselines && job.index < enough_for_baselines)
        result.baselines = options_.baselines(*injected, stop_);
    } catch (const std::exception& failure) {
      result.diagnosis.summary = failure.what();
    }
    result.seconds = Seconds(Clock::now() - began).count();
    const std::lock_guard lock(mutex_);
    if (options_.on_clean_run && !stop_.stop_requested()) options_.on_clean_run(result);
  }

  void run_fault(const Job& job, const std::string& name) {
    auto& result = score_.faults[job.index];
    const auto began = Clock::now();
    try {
      const auto injected = testbed_.inject(*job.fault, name, stop_);
      const auto where =
          injected->site.primary == nullptr ? InjectedIn::copy : InjectedIn::laboratory;
      evaluate(rehearse(*injected), injected->site.facts, where, result);
      if (!result.detected && options_.advise) result.missing += options_.advise(result);
      if (options_.baselines) result.baselines = options_.baselines(*injected, stop_);
    } catch (const DoesNotApply& reason) {
      result.not_applicable = reason.what();
    } catch (const CannotInject& reason) {
      result.skipped = reason.what();
    } catch (const std::exception& failure) {
      result.missing = fmt::format("the fault could not be injected or the drill could not run: {}",
                                   failure.what());
    }
    result.seconds = Seconds(Clock::now() - began).count();
    const std::lock_guard lock(mutex_);
    if (options_.on_fault && !stop_.stop_requested()) options_.on_fault(result);
  }

  // Drills of a proof may only use the repositories of the proof, and may not write to them.
  Report rehearse(const InjectedFault& injected) {
    const auto before = listing_of(injected.site.repository);
    auto report = options_.rehearse(injected, stop_);
    if (listing_of(injected.site.repository) != before) {
      throw Error(ErrorKind::internal, "the drill changed the repository");
    }
    for (const auto& command : report.commands) {
      if (!is_call_of_tool(command.command, injected.site)) continue;
      const std::lock_guard lock(mutex_);
      ++score_.repository_commands;
    }
    return report;
  }

  // Throws Error(internal) if the call uses another repository than the site's. Barman is called
  // with a configuration in the drill's own directory, made from the site's.
  bool is_call_of_tool(const std::string& command, const InjectionSite& site) const {
    const auto has = [&](const std::string& text) {
      return command.find(text) != std::string::npos;
    };
    if (options_.tool == BackupTool::basebackup) return has("pg_verifybackup");
    if (options_.tool == BackupTool::barman) return has("barman") && has("--config");
    if (!has("pgbackrest") || !has("--stanza=")) return false;
    if (has("--config=" + site.configuration.native())) return true;
    throw Error(ErrorKind::internal,
                "a drill used a repository outside the laboratory: " + command);
  }

  FaultTestbed& testbed_;
  const ProofOptions& options_;
  std::stop_token stop_;
  std::vector<Job> jobs_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  ProofScore score_;
  std::optional<CleanRun> first_;  // the control run
};

}  // namespace

std::size_t ProofScore::detected() const {
  return static_cast<std::size_t>(
      std::count_if(faults.begin(), faults.end(), [](const auto& f) { return f.detected; }));
}

std::size_t ProofScore::skipped() const {
  return static_cast<std::size_t>(std::count_if(
      faults.begin(), faults.end(), [](const auto& fault) { return !fault.skipped.empty(); }));
}

std::size_t ProofScore::not_applicable() const {
  return static_cast<std::size_t>(
      std::count_if(faults.begin(), faults.end(),
                    [](const auto& fault) { return !fault.not_applicable.empty(); }));
}

std::size_t ProofScore::injected() const { return faults.size() - skipped() - not_applicable(); }

Verdict ProofScore::verdict() const {
  if (stopped_by_control) return clean_runs.front().verdict;
  if (detected() < injected() || false_alarms() > 0) return Verdict::fail;
  const bool unchanged = !original || original->change.differences.empty();
  return skipped() > 0 || injected() == 0 || !unchanged ? Verdict::unknown : Verdict::pass;
}

std::size_t ProofScore::false_alarms() const {
  return static_cast<std::size_t>(
      std::count_if(clean_runs.begin(), clean_runs.end(),
                    [](const auto& run) { return run.verdict != Verdict::pass; }));
}

void evaluate(const Report& report, const std::map<std::string, std::string>& facts,
              InjectedIn where, FaultResult& result) {
  const auto& expect = result.fault.expect;
  result.expected.clear();
  for (std::size_t i = 0; i < expect.codes.size(); ++i) {
    result.expected.push_back({expect.codes[i], expect.objects.empty()
                                                    ? std::string()
                                                    : expand_scenario(expect.objects[i], facts)});
  }
  result.verdict = report.verdict;
  result.diagnosis = report.diagnosis;
  result.codes = codes_of(report);
  result.missing = missing_in(report, where, result);
  result.detected = result.missing.empty();
}

ProofScore prove(const std::vector<Fault>& faults, FaultTestbed& testbed,
                 const ProofOptions& options, std::stop_token stop) {
  return Proof(faults, testbed, options, std::move(stop)).run();
}

}  // namespace pgrehearse
