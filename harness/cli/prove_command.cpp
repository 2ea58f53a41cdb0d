// Injects the faults of the catalogue and counts those that drills detect.
#include <fmt/format.h>
#include <fnmatch.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <thread>

#include "harness/cli/commands.hpp"
#include "harness/cli/demo_laboratory.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/prove_scenario.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/faults/fault_keys.hpp"
#include "harness/faults/fault_laboratory.hpp"
#include "harness/faults/fault_parser.hpp"
#include "harness/faults/proof/baselines.hpp"
#include "harness/faults/proof/proof.hpp"
#include "harness/faults/proof/proof_directory.hpp"
#include "harness/faults/proof/proof_formats.hpp"
#include "harness/faults/tool_applicability.hpp"
#include "harness/scenario/scenario_parser.hpp"
#include "scenarios/embedded.hpp"

namespace pgrehearse {

namespace {

struct ProveArguments {
  std::string tool = std::string(name_of(BackupTool::pgbackrest));
  std::filesystem::path scenario;
  std::vector<std::string> overrides;
  std::vector<std::string> patterns;
  std::string tag;
  std::string phase;
  int jobs = 0;
  std::optional<std::size_t> clean_runs;
  std::string junit;
  std::string json;
  std::string markdown;
  bool compare = false;
  std::filesystem::path directory;
  bool list = false;
};

std::vector<Fault> catalogue() {
  std::vector<Fault> faults;
  for (const auto& file : embedded::fault_files()) {
    faults.push_back(parse_fault(std::string(file.text), std::string(file.name)));
  }
  return faults;
}

bool fits(const std::string& name, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const auto& each) {
           return fnmatch(each.c_str(), name.c_str(), 0) == 0;
         });
}

void require_known_patterns(const std::vector<std::string>& patterns,
                            const std::vector<Fault>& faults) {
  std::vector<std::string> known;
  known.reserve(faults.size());
  for (const auto& fault : faults) known.push_back(fault.name);
  for (const auto& pattern : patterns) {
    if (std::any_of(known.begin(), known.end(),
                    [&](const auto& name) { return fits(name, {pattern}); })) {
      continue;
    }
    const auto near = nearest(pattern, known);
    throw Error(ErrorKind::usage, fmt::format("unknown fault '{}'", pattern),
                near ? fmt::format("did you mean '{}'?", *near)
                     : "'pgrehearse prove --list' lists all faults");
  }
}

std::vector<Fault> selected_faults(const ProveArguments& arguments) {
  auto faults = catalogue();
  require_known_patterns(arguments.patterns, faults);
  const auto tagged = [&](const Fault& fault) {
    return std::find(fault.tags.begin(), fault.tags.end(), arguments.tag) != fault.tags.end();
  };
  std::erase_if(faults, [&](const Fault& fault) {
    return !fits(fault.name, arguments.patterns) || (!arguments.tag.empty() && !tagged(fault)) ||
           (!arguments.phase.empty() && fault.phase != arguments.phase);
  });
  if (faults.empty()) {
    throw Error(ErrorKind::usage, "no fault matches these options",
                "'pgrehearse prove --list' lists all faults with phase and tags");
  }
  return faults;
}

ExitCode list_faults(const std::vector<Fault>& faults) {
  for (const auto& fault : faults) {
    std::cout << fmt::format("{:<36} {:<14} {} [{}]\n", fault.name, fault.phase, fault.summary,
                             join(fault.tags, ", "));
  }
  return ExitCode::pass;
}

Rehearse rehearsal(const std::filesystem::path& state) {
  return [state](const InjectedFault& injected, std::stop_token stop) {
    const auto scenario =
        parse_scenario(injected.scenario, "prove drill", injected.site.overrides, all_checks());
    return run_silent_drill(scenario, scenario.timeout.value_or(std::chrono::minutes(5)), state,
                            std::move(stop));
  };
}

RunBaselines baselines(CommandRunner& runner) {
  return [&runner](const InjectedFault& injected, const std::stop_token& stop) {
    const auto scenario =
        parse_scenario(injected.scenario, "prove drill", injected.site.overrides, all_checks());
    return run_baselines(scenario, injected, runner, stop);
  };
}

void write_file(const std::string& file, const ProofScore& score,
                void (*write)(const ProofScore&, std::ostream&)) {
  if (file.empty()) return;
  std::ofstream out(file, std::ios::trunc);
  write(score, out);
  out.close();
  if (!out) {
    throw Error(ErrorKind::environment, fmt::format("cannot write the results to {}", file));
  }
}

// Also part of the results; logged so that it is not overlooked.
void warn_about_changes(const OriginalRepository& original) {
  spdlog::error(
      "{} changed while prove was running (first change: {}); prove does not write to it; did a "
      "backup or expire run?",
      original.path.native(), original.change.differences.front());
}

// Splits off the faults that cannot occur with the tool, and expects of the others what a drill
// with it reports.
std::vector<FaultResult> remove_inapplicable(std::vector<Fault>& faults, BackupTool tool) {
  std::vector<FaultResult> results;
  std::erase_if(faults, [&](const Fault& fault) {
    const auto reason = why_not_applicable(fault, tool);
    if (!reason.empty()) results.push_back({.fault = fault, .not_applicable = reason});
    return !reason.empty();
  });
  for (auto& fault : faults) {
    const auto found = fault.expect_with.find(tool);
    if (found != fault.expect_with.end()) fault.expect = found->second;
  }
  return results;
}

// In the order of the catalogue.
void sort_results(std::vector<FaultResult>& results, const std::vector<Fault>& catalogue) {
  std::ranges::sort(results, {}, [&](const FaultResult& result) {
    return std::ranges::find(catalogue, result.fault.name, &Fault::name) - catalogue.begin();
  });
}

ProofScore prove_laboratories(const ProveArguments& arguments, const std::vector<Fault>& selected,
                              const CommonOptions& common, const DemoLine& say,
                              const std::stop_token& stop) {
  const auto tool = parse_backup_tool(arguments.tool).value();
  auto faults = selected;
  auto inapplicable = remove_inapplicable(faults, tool);
  for (const auto& result : inapplicable) say(line_of(result));
  const auto runner = real_command_runner();
  std::random_device random;
  const auto id = fmt::format("prove-{:06x}", random() & 0xFFFFFFU);
  FaultLaboratories laboratories(
      {.state = common.state, .directory = arguments.directory, .id = id, .tool = tool}, *runner);
  say(fmt::format("{} faults; building the base laboratory", faults.size()));
  laboratories.build_seed(stop);
  const auto& parent = arguments.directory.empty() ? common.state : arguments.directory;
  const auto drills = ProofDirectory::for_drills(common.state, parent, id);
  const ProofOptions options{
      .tool = tool,
      .jobs = arguments.jobs > 0 ? arguments.jobs
                                 : 2 * static_cast<int>(std::thread::hardware_concurrency()),
      .clean_runs = arguments.clean_runs,
      .rehearse = rehearsal(drills.path()),
      .baselines = arguments.compare ? baselines(*runner) : RunBaselines(),
      .on_fault = [&](const FaultResult& result) { say(line_of(result)); },
      .on_clean_run = [&](const CleanRun& run) { say(line_of(run)); }};
  auto score = prove(faults, laboratories, options, stop);
  std::ranges::move(inapplicable, std::back_inserter(score.faults));
  sort_results(score.faults, selected);
  return score;
}

void require_valid_options(const ProveArguments& arguments) {
  if (!arguments.scenario.empty() && arguments.tool != name_of(BackupTool::pgbackrest)) {
    throw Error(ErrorKind::usage, "--tool cannot be combined with --scenario",
                "the scenario's repository.type selects the tool");
  }
  if (arguments.scenario.empty() && !arguments.overrides.empty()) {
    throw Error(ErrorKind::usage, "--set requires --scenario", "add --scenario FILE");
  }
  if (!arguments.scenario.empty() && arguments.compare) {
    throw Error(ErrorKind::usage, "--compare cannot be combined with --scenario",
                "a plain restore of production could act like production; run --compare without "
                "--scenario");
  }
}

ExitCode run_prove(const ProveArguments& arguments, const CommonOptions& common,
                   const std::stop_token& stop) {
  require_valid_options(arguments);
  const auto faults = selected_faults(arguments);
  if (arguments.list) return list_faults(faults);
  const DemoLine say = [&](const std::string& line) {
    if (!common.quiet) std::cerr << "prove: " << line << std::endl;
  };
  if (arguments.scenario.empty()) unset_pgbackrest_variables(say);
  remove_leftovers(common);
  const auto score = arguments.scenario.empty()
                         ? prove_laboratories(arguments, faults, common, say, stop)
                         : prove_scenario({.scenario = arguments.scenario,
                                           .overrides = arguments.overrides,
                                           .directory = arguments.directory,
                                           .jobs = arguments.jobs,
                                           .clean_runs = arguments.clean_runs.value_or(1),
                                           .say = say},
                                          faults, common, stop);
  if (common.format == "json") {
    write_proof_json(score, std::cout);
  } else {
    write_proof_text(score, std::cout);
  }
  std::cout.flush();
  write_file(arguments.junit, score, write_proof_junit);
  write_file(arguments.json, score, write_proof_json);
  write_file(arguments.markdown, score, write_proof_page);
  if (score.original && !score.original->change.differences.empty()) {
    warn_about_changes(*score.original);
  }
  return exit_code_of(score.verdict());
}

}  // namespace

CommandAction configure_prove(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<ProveArguments>();
  command
      .add_option("fault,--faults", arguments->patterns,
                  "faults to inject: names or quoted patterns [all]")
      ->type_name("PATTERN");
  command
      .add_option("--scenario", arguments->scenario,
                  "inject the faults into copies of this scenario's repository and run its drill")
      ->type_name("FILE");
  command
      .add_option("--tool", arguments->tool,
                  "backup tool of the laboratories: pgbackrest, basebackup (plain PostgreSQL) or "
                  "barman [pgbackrest]")
      ->type_name("TOOL")
      ->check(one_of(backup_tool_names()));
  command.add_option("--set", arguments->overrides, "override a scenario value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--tag", arguments->tag, "only faults with this tag")->type_name("TAG");
  const auto phases = fault_phases();
  command.add_option("--phase", arguments->phase, "only faults in this phase")
      ->type_name("PHASE")
      ->check(one_of({phases.begin(), phases.end()}));
  command
      .add_option("--jobs", arguments->jobs, "number of faults to run in parallel [two per CPU]")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  command
      .add_option("--clean-runs", arguments->clean_runs,
                  "number of drills without a fault [one per fault; with --scenario: 1]")
      ->type_name("N");
  command
      .add_option("--directory", arguments->directory,
                  "directory for laboratories and copies; fastest in memory, for example "
                  "/dev/shm/prove [the state directory]")
      ->type_name("DIR");
  command.add_option("--junit", arguments->junit, "also write the results as JUnit XML")
      ->type_name("FILE");
  command.add_option("--json", arguments->json, "also write the results as JSON")
      ->type_name("FILE");
  command.add_option("--markdown", arguments->markdown, "also write the results as Markdown")
      ->type_name("FILE");
  command.add_flag(
      "--compare", arguments->compare,
      "also test with the backup tool's own verification, a plain restore, pg_checksums and "
      "pg_amcheck");
  command.add_flag("--list", arguments->list, "list the faults and exit");
  return [arguments, &common](const std::stop_token& stop) {
    return run_prove(*arguments, common, stop);
  };
}

}  // namespace pgrehearse
