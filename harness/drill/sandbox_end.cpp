#include "harness/drill/sandbox_end.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace pgrehearse {

namespace {

void remove_sandbox(const SandboxParts& parts, DrillRecord& record) {
  auto& report = record.report;
  record.progress().phase_started("destroy sandbox", {});
  PhaseRecord phase{.name = "destroy sandbox"};
  const auto began = std::chrono::steady_clock::now();
  parts.instance.reset();
  auto removal = parts.sandbox->destroy();
  phase.seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  phase.completed = removal.complete();
  report.sandbox.removed = removal.complete();
  report.sandbox.removal = std::move(removal.removed);
  report.sandbox.remaining = std::move(removal.remaining);
  if (!report.sandbox.removed && report.verdict == Verdict::pass) {
    report.verdict = Verdict::unknown;
    report.diagnosis = {.summary = "the sandbox could not be removed completely",
                        .code = "PGR-ENV-LEFTOVER",
                        .object = report.sandbox.root,
                        .blame = "environment",
                        .next_step = "run 'pgrehearse clean'",
                        .evidence = report.sandbox.remaining};
  }
  record.progress().phase_finished(phase);
  report.phases.push_back(std::move(phase));
}

void keep_sandbox(const SandboxParts& parts, DrillRecord& record) {
  auto& report = record.report;
  try {
    parts.instance->leave_running();
    parts.sandbox->keep();
    report.sandbox.kept = true;
    const auto server = parts.sandbox->server();
    report.sandbox.connect = fmt::format("psql -h {} -p {} -U {} -d postgres", server.at("host"),
                                         server.at("port"), server.at("user"));
  } catch (const std::exception& error) {
    spdlog::error("the instance could not be kept: {}", error.what());
    remove_sandbox(parts, record);
  }
}

}  // namespace

void end_sandbox(const SandboxParts& parts, bool keep, DrillRecord& record) {
  if (!parts.sandbox) {
    record.report.sandbox.removed = true;
    return;
  }
  try {
    parts.sandbox->collect_logs(record.logs());
  } catch (const std::exception& error) {
    spdlog::warn("logs were not collected: {}", error.what());
  }
  if (keep && parts.instance && record.report.landing) {
    keep_sandbox(parts, record);
  } else {
    remove_sandbox(parts, record);
  }
}

}  // namespace pgrehearse
