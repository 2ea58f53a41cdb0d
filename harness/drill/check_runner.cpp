#include "harness/drill/check_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace pgrehearse {

namespace {

// Empty: the finding is about something else.
std::string_view lacking_resource(const Finding& finding) {
  const auto sqlstate = finding.details.find("sqlstate");
  if (sqlstate == finding.details.end()) return {};
  if (sqlstate->second == sqlstate_disk_full) return "PGR-ENV-DISK-FULL";
  return sqlstate->second == sqlstate_out_of_memory ? "PGR-ENV-MEMORY" : "";
}

// A server that lacks room or memory says nothing about the data; unless something else was found.
void excuse_lack_of_resources(CheckOutcome& outcome) {
  const bool excused =
      std::all_of(outcome.findings.begin(), outcome.findings.end(),
                  [](const auto& finding) { return !lacking_resource(finding).empty(); });
  if (!excused || outcome.findings.empty()) return;
  for (auto& finding : outcome.findings) {
    finding.code = lacking_resource(finding);
    finding.hint = "give the sandbox more of it; the backup is not to blame";
  }
  if (outcome.verdict == Verdict::fail) outcome.verdict = Verdict::unknown;
}

CheckRecord run_one(PlannedCheck& planned, CheckContext& context) {
  CheckRecord record{.name = planned.request.name,
                     .check = planned.request.check,
                     .state = std::string(name_of(planned.state))};
  const auto began = std::chrono::steady_clock::now();
  if (context.stop.stop_requested()) {
    record.verdict = Verdict::skipped;
    record.summary = "the drill was interrupted";
    return record;
  }
  try {
    if (planned.failure) throw Error(*planned.failure);
    auto outcome = planned.check->run(context);
    excuse_lack_of_resources(outcome);
    record.verdict = outcome.verdict;
    record.summary = std::move(outcome.summary);
    record.findings = std::move(outcome.findings);
  } catch (const Error& error) {
    // Not every package of PostgreSQL has all of its programs.
    const bool lacking = error.code() == "PGR-ENV-BINARY";
    record.verdict = lacking ? Verdict::skipped : Verdict::unknown;
    if (lacking) record.summary = error.what();
    record.findings.push_back({.code = error.code().empty() ? "PGR-CHECK-ERROR" : error.code(),
                               .object = error.object(),
                               .message = error.what(),
                               .hint = error.hint()});
  } catch (const std::exception& error) {
    record.verdict = Verdict::unknown;
    record.findings.push_back({.code = "PGR-CHECK-ERROR", .message = error.what()});
  }
  record.seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  return record;
}

}  // namespace

std::vector<PlannedCheck> plan_checks(const Scenario& scenario,
                                      std::span<const CheckDescription> table) {
  std::vector<PlannedCheck> planned;
  const auto add = [&](const CheckDescription& description, CheckRequest request) {
    auto check = description.create(request.settings);
    const auto state = description.state_for != nullptr ? description.state_for(request.settings)
                                                        : description.state;
    planned.push_back({.description = &description,
                       .request = std::move(request),
                       .check = std::move(check),
                       .state = state});
  };
  for (const auto& description : table) {
    const bool named =
        std::any_of(scenario.checks.begin(), scenario.checks.end(),
                    [&](const auto& request) { return request.check == description.name; });
    if (description.always && !named) {
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

std::vector<CheckRecord> run_checks(std::span<PlannedCheck> checks, InstanceState state,
                                    CheckContext& context, std::size_t workers,
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
  std::vector<CheckRecord> records(chosen.size());
  std::atomic<std::size_t> next{0};
  std::mutex finished;
  {
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < std::min(workers, chosen.size()); ++worker) {
      threads.emplace_back([&] {
        for (auto at = next++; at < order.size(); at = next++) {
          records[order[at]] = run_one(*chosen[order[at]], context);
          const std::lock_guard lock(finished);
          on_finished(records[order[at]]);
        }
      });
    }
  }
  return records;
}

}  // namespace pgrehearse
