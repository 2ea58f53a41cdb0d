#include "harness/drill/sandbox_teardown.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/common/shell_words.hpp"

namespace pgrehearse {

namespace {

void remove_sandbox(const SandboxParts& parts, DrillRecord& record) {
  record_removal(
      {.name = "destroy sandbox", .complaint = "the sandbox could not be removed completely"},
      [&] {
        parts.instance.reset();
        return parts.sandbox->destroy();
      },
      record);
}

void keep_sandbox(const SandboxParts& parts, DrillRecord& record) {
  auto& report = record.report;
  try {
    parts.instance->leave_running();
    parts.sandbox->keep();
    report.sandbox.kept = true;
    const auto server = parts.sandbox->server();
    report.sandbox.connect =
        shell_command({"psql", "-h", server.at("host"), "-p", server.at("port"), "-U",
                       server.at("user"), "-d", "postgres"});
  } catch (const std::exception& error) {
    spdlog::error("the instance could not be kept: {}", error.what());
    remove_sandbox(parts, record);
  }
}

}  // namespace

void record_removal(const RemovalPhase& phase, const std::function<Removal()>& remove,
                    DrillRecord& record) {
  auto& report = record.report;
  record.progress().phase_started(phase.name, {});
  PhaseRecord done{.name = phase.name};
  const auto began = std::chrono::steady_clock::now();
  auto removal = remove();
  done.seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  done.completed = removal.complete();
  report.sandbox.removed = removal.complete();
  report.sandbox.removal = std::move(removal.removed);
  report.sandbox.remaining = std::move(removal.remaining);
  if (!report.sandbox.removed && report.verdict == Verdict::pass) {
    report.verdict = Verdict::unknown;
    const auto& remaining = report.sandbox.remaining;
    report.diagnosis = {
        .summary = remaining.empty() ? phase.complaint : phase.complaint + ": " + remaining.front(),
        .code = FindingCode::env_leftover,
        .object = report.sandbox.root,
        .likely_cause = LikelyCause::environment,
        .next_step = "run 'pgrehearse clean'",
        .evidence = report.sandbox.remaining};
  }
  record.progress().phase_finished(done);
  report.phases.push_back(std::move(done));
}

void end_sandbox(const SandboxParts& parts, bool keep, DrillRecord& record) {
  if (!parts.sandbox) {
    record.report.sandbox.removed = true;
    return;
  }
  try {
    parts.sandbox->collect_logs(record.logs());
  } catch (const std::exception& error) {
    spdlog::warn("the logs could not be collected: {}", error.what());
  }
  if (keep && parts.instance && record.report.landing) {
    keep_sandbox(parts, record);
  } else {
    remove_sandbox(parts, record);
  }
}

}  // namespace pgrehearse
