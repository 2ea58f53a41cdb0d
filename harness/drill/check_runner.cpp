#include "harness/drill/check_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <variant>

namespace pgrehearse {

namespace {

// None: the finding has another cause.
FindingCode lacking_resource(const Finding& finding) {
  const auto sqlstate = finding.details.find("sqlstate");
  if (sqlstate == finding.details.end()) return FindingCode::none;
  if (sqlstate->second == sqlstate_disk_full) return FindingCode::env_disk_full;
  return sqlstate->second == sqlstate_out_of_memory ? FindingCode::env_memory : FindingCode::none;
}

// A full disk or too little memory in the sandbox is no evidence against the data.
void excuse_lack_of_resources(CheckOutcome& outcome) {
  const bool excused = std::all_of(
      outcome.findings.begin(), outcome.findings.end(),
      [](const auto& finding) { return lacking_resource(finding) != FindingCode::none; });
  if (!excused || outcome.findings.empty()) return;
  for (auto& finding : outcome.findings) {
    finding.code = lacking_resource(finding);
    finding.severity.reset();
    finding.hint = "give the sandbox more disk space or memory; the backup is not the cause";
  }
  if (outcome.verdict == Verdict::fail) outcome.verdict = Verdict::unknown;
}

CheckRecord unknown_with(CheckRecord record, const Error& error) {
  record.verdict = Verdict::unknown;
  record.findings.push_back(
      {.code = error.code() == FindingCode::none ? FindingCode::check_error : error.code(),
       .severity = Severity::unknown,
       .object = error.object(),
       .message = error.what(),
       .hint = error.hint()});
  return record;
}

FinishedCheck run_one(PlannedCheck& planned, const CheckContext& context) {
  FinishedCheck finished{.record = {.name = planned.request.name,
                                    .check = planned.request.check,
                                    .state = std::string(name_of(planned.state))}};
  auto& record = finished.record;
  const auto began = std::chrono::steady_clock::now();
  const auto& stop = std::visit(
      [](const auto& any) -> const auto& { return any.stop; }, context);
  if (stop.stop_requested()) {
    record.verdict = Verdict::skipped;
    record.summary = "the drill was interrupted";
    return finished;
  }
  try {
    if (planned.failure) std::rethrow_exception(planned.failure);
    auto outcome = planned.check->run_in(context);
    excuse_lack_of_resources(outcome);
    record.verdict = outcome.verdict;
    record.summary = std::move(outcome.summary);
    record.findings = std::move(outcome.findings);
    finished.comparison = std::move(outcome.comparison);
  } catch (const Error& error) {
    record = unknown_with(std::move(record), error);
  } catch (const std::exception& error) {
    record = unknown_with(std::move(record), Error(ErrorKind::internal, error.what()));
  }
  record.seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  return finished;
}

}  // namespace

std::vector<PlannedCheck> plan_checks(const Scenario& scenario,
                                      std::span<const CheckDescription> table) {
  std::vector<PlannedCheck> planned;
  const auto add = [&](const CheckDescription& description, CheckRequest request) {
    auto check = description.create(request.settings);
    const auto state = description.state_for != nullptr ? description.state_for(request.settings)
                                                        : description.state;
    if (!check->runs_in(state)) {
      throw Error(ErrorKind::internal, fmt::format("check '{}' cannot run in the state '{}'",
                                                   description.name, name_of(state)));
    }
    planned.push_back({.description = &description,
                       .request = std::move(request),
                       .check = std::move(check),
                       .state = state});
  };
  for (const auto& description : table) {
    const bool named =
        std::any_of(scenario.checks.begin(), scenario.checks.end(),
                    [&](const auto& request) { return request.check == description.name; });
    const bool possible = !description.needs_primary || scenario.primary;
    if (description.always && possible && !named) {
      add(description,
          {.check = std::string(description.name), .name = std::string(description.name)});
    }
    for (const auto& request : scenario.checks) {
      if (request.check == description.name) add(description, request);
    }
  }
  for (const auto& request : scenario.checks) {
    const bool known = std::any_of(table.begin(), table.end(), [&](const auto& description) {
      return request.check == description.name;
    });
    if (!known) throw Error(ErrorKind::usage, fmt::format("unknown check '{}'", request.check));
  }
  return planned;
}

void prepare_stop(std::span<PlannedCheck> checks, const LandedContext& context) {
  for (auto& planned : checks) {
    if (planned.state != InstanceState::stopped) continue;
    try {
      planned.check->before_stop(context);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      planned.failure = std::current_exception();
    } catch (const std::exception&) {
      planned.failure = std::current_exception();
    }
  }
}

std::vector<FinishedCheck> run_checks(std::span<PlannedCheck> checks, InstanceState state,
                                      const CheckContext& context, std::size_t workers,
                                      const std::function<void(const CheckRecord&)>& on_finished) {
  std::vector<PlannedCheck*> chosen;
  for (auto& planned : checks) {
    if (planned.state == state) chosen.push_back(&planned);
  }
  std::vector<std::size_t> order(chosen.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return chosen[a]->description->weight > chosen[b]->description->weight;
  });
  std::vector<FinishedCheck> results(chosen.size());
  std::atomic<std::size_t> next{0};
  std::mutex reporting;
  {
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < std::min(workers, chosen.size()); ++worker) {
      threads.emplace_back([&] {
        for (auto at = next++; at < order.size(); at = next++) {
          results[order[at]] = run_one(*chosen[order[at]], context);
          const std::lock_guard lock(reporting);
          on_finished(results[order[at]].record);
        }
      });
    }
  }
  return results;
}

}  // namespace pgrehearse
