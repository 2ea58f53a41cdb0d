// Consecutive drills against a primary under constant write load, each with the check `comparison`:
// each comparison must be exact and find no difference. CTest runs a few; by hand, run twenty:
//   comparison_loop --drills 20 --clients 32 --load pgbench --wal-level replica
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/report/report.hpp"
#include "tests/drills/loops/load.hpp"
#include "tests/drills/shared_laboratory.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

struct LoopOptions {
  int drills = 2;
  int clients = 8;
  int scale = 5;
  std::string load = "pgbench";
  std::string wal_level = "replica";
  int backup_every = 5;
  std::string binary = PGREHEARSE_BINARY;
};

struct Outcome {
  int exit_code = -1;
  std::optional<Report> report;
  std::string error_output;

  [[nodiscard]] const CheckRecord* comparison() const {
    if (!report) return nullptr;
    for (const auto& check : report->checks) {
      if (check.name == "comparison") return &check;
    }
    return nullptr;
  }
  [[nodiscard]] bool good() const {
    return exit_code == 0 && report && report->comparison.exact && comparison() != nullptr &&
           comparison()->verdict == Verdict::pass;
  }
};

Outcome run_drill_once(CommandRunner& runner, const std::string& binary, const fs::path& scratch) {
  const auto json = scratch / "report.json";
  fs::remove(json);
  auto result = runner.run({.program = binary,
                            .arguments = {"run", scratch / "scenario.yaml", "--json", json,
                                          "--state", scratch / "state", "--quiet"},
                            .timeout = std::chrono::minutes(10)},
                           {});
  Outcome outcome{.exit_code = result.exit_code, .error_output = std::move(result.error_output)};
  if (std::ifstream in(json); in) {
    outcome.report = report_from_json({std::istreambuf_iterator<char>(in), {}});
  }
  return outcome;
}

void print(int number, const Outcome& outcome, double transactions) {
  if (!outcome.report) {
    std::cout << fmt::format("{:3}  no report, exit {}: {}\n", number, outcome.exit_code,
                             outcome.error_output);
    return;
  }
  const auto& report = *outcome.report;
  const auto* check = outcome.comparison();
  std::cout << fmt::format(
      "{:3}  {:7}  exact {:5}  {:10}  {:3} candidates  {:6.0f} tps  {:5.1f} s  {}\n", number,
      name_of(report.verdict), report.comparison.exact, report.comparison.method,
      report.comparison.candidates, transactions,
      Seconds(*report.finished - report.started).count(),
      check == nullptr ? report.diagnosis.summary : check->summary);
  if (outcome.good()) return;
  std::cout << "     " << report.comparison.explanation << '\n';
  for (const auto& each : report.checks) {
    for (const auto& finding : each.findings) {
      std::cout << fmt::format("     {} {}: {}\n", text_of(finding.code), finding.object,
                               finding.message);
    }
  }
}

double commits_of(Laboratory& laboratory) {
  return std::stod(laboratory.connect("postgres", {})
                       .query("select sum(xact_commit) from pg_stat_database")
                       .text(0, 0));
}

int run(const LoopOptions& options) {
  BoostCommandRunner runner;
  const auto scratch = make_scratch_directory("comparison-loop");
  auto laboratory = Laboratory::create(
      {.id = "primary", .state = scratch / "laboratory", .wal_level = options.wal_level}, runner,
      {});
  laboratory->start({});
  laboratory->create_stanza({});
  Load load(*laboratory, runner,
            {.kind = options.load, .clients = options.clients, .scale = options.scale});
  laboratory->back_up(BackupType::full, {});
  load.start();
  std::ofstream(scratch / "scenario.yaml")
      << laboratory->scenario_text("comparison-loop", "checks: [comparison]\n");
  int good = 0;
  for (int number = 1; number <= options.drills; ++number) {
    if (number > 1 && (number - 1) % options.backup_every == 0) {
      laboratory->back_up(BackupType::incremental, {});
    }
    const auto before = commits_of(*laboratory);
    const auto began = std::chrono::steady_clock::now();
    const auto outcome = run_drill_once(runner, options.binary, scratch);
    const Seconds took = std::chrono::steady_clock::now() - began;
    print(number, outcome, (commits_of(*laboratory) - before) / took.count());
    std::cout.flush();
    good += outcome.good() ? 1 : 0;
  }
  const auto failures = load.stop();
  std::cout << fmt::format("{} of {} drills exact, without a difference\n", good, options.drills);
  if (!failures.empty()) std::cout << "the load failed: " << failures << '\n';
  laboratory.reset();
  const bool passed = good == options.drills && failures.empty();
  if (passed) {
    fs::remove_all(scratch);
  } else {
    std::cout << "left for you to look at: " << scratch.native() << '\n';
  }
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace pgrehearse

int main(int argc, char** argv) {
  try {
    pgrehearse::LoopOptions options;
    CLI::App app("drills in a row against a primary under load");
    app.add_option("--drills", options.drills);
    app.add_option("--clients", options.clients);
    app.add_option("--scale", options.scale);
    app.add_option("--load", options.load)->check(CLI::IsMember({"pgbench", "mixed"}));
    app.add_option("--wal-level", options.wal_level)->check(CLI::IsMember({"replica", "logical"}));
    app.add_option("--backup-every", options.backup_every);
    app.add_option("--binary", options.binary, "of pgrehearse");
    CLI11_PARSE(app, argc, argv);
    return pgrehearse::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  }
}
