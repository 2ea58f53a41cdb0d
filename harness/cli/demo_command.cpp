// A complete drill against a throwaway primary: a first look at the program, and a test that this
// host can run drills.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "harness/cli/commands.hpp"
#include "harness/cli/demo_laboratory.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/state_directory.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

// Its name in scenarios/demo/demo.yaml.
constexpr std::string_view newest_work_check = "transactions after the last backup were recovered";

struct DemoArguments {
  DemoSpec spec;
  std::vector<std::string> overrides;
  bool keep = false;
  std::string json;
  std::string junit;
  std::string markdown;
  std::string html;
};

SessionOptions session_options(const DemoArguments& arguments) {
  SessionOptions options;
  if (!arguments.json.empty()) options.reports["json"] = arguments.json;
  if (!arguments.junit.empty()) options.reports["junit"] = arguments.junit;
  if (!arguments.markdown.empty()) options.reports["markdown"] = arguments.markdown;
  if (!arguments.html.empty()) options.reports["html"] = arguments.html;
  return options;
}

DemoLine narrator(const CommonOptions& common) {
  if (common.quiet) return [](const std::string&) {};
  return [](const std::string& line) { std::cerr << "demo: " << line << std::endl; };
}

// With a target other than latest the copy is older than the primary on purpose. Checks given with
// --set are kept.
void remove_checks_for_latest_only(Scenario& scenario, const DemoArguments& arguments,
                                   const DemoLine& say) {
  if (scenario.target.type == TargetType::latest) return;
  scenario.objectives.rpo.reset();
  const bool stated =
      std::any_of(arguments.overrides.begin(), arguments.overrides.end(),
                  [](const std::string& entry) { return entry.starts_with("checks"); });
  if (stated) return;
  std::erase_if(scenario.checks, [](const CheckRequest& request) {
    return request.check == "row_counts" || request.check == "freshness" ||
           request.name == newest_work_check;
  });
  say("recover_to is not latest: skipping row_counts, freshness and RPO");
}

void print_next_steps(const Laboratory& laboratory, const CommonOptions& common,
                      const DemoLine& say) {
  const auto state = state_option(common.state);
  say("keeping the laboratory; its primary is running");
  say("  connect:  " + shell_command({"psql", "-h", laboratory.paths().sockets.native(), "-p",
                                      "5432", "-U", "postgres", "-d", "shop"}));
  say("  drill:    " +
      shell_command({"pgrehearse", "run", demo_scenario_file(laboratory).native()}) + state);
  say("  remove:   " + shell_command({"pgrehearse", "clean", laboratory.options().id}) + state);
}

void remove(Laboratory& laboratory, const DemoLine& say) {
  const auto removal = laboratory.destroy();
  if (removal.complete()) say("laboratory removed");
  for (const auto& thing : removal.remaining) say("could not remove " + thing);
}

ExitCode run_demo(DemoArguments arguments, const CommonOptions& common,
                  const std::stop_token& stop) {
  const auto began = std::chrono::steady_clock::now();
  const auto say = narrator(common);
  const auto options = session_options(arguments);
  // Report errors in --set or --json before building the laboratory.
  require_writable_reports(
      parse_scenario(demo_scenario_outline(), "demo.yaml", arguments.overrides, all_checks()),
      options);
  unset_pgbackrest_variables(say);
  remove_leftovers(common);

  arguments.spec.state = common.state;
  const auto runner = real_command_runner();
  const auto laboratory = build_demo(arguments.spec, *runner, say, stop);
  say(fmt::format("running drill {}", demo_scenario_file(*laboratory).native()));
  auto scenario = load_scenario(demo_scenario_file(*laboratory), arguments.overrides, all_checks());
  remove_checks_for_latest_only(scenario, arguments, say);
  const auto session = run_session(scenario, options, common, stop);
  print_report(session.report, common);
  if (arguments.keep && !stop.stop_requested()) {
    laboratory->keep();
    print_next_steps(*laboratory, common, say);
  } else {
    remove(*laboratory, say);
  }
  say(fmt::format("finished in {}", to_text(Seconds(std::chrono::steady_clock::now() - began))));
  if (stop.stop_requested()) return ExitCode::interrupted;
  return exit_code_of(session);
}

}  // namespace

CommandAction configure_demo(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<DemoArguments>();
  command
      .add_option("--set", arguments->overrides,
                  "override a scenario value: --set recover_to=immediate")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--keep", arguments->keep,
                   "keep the primary and the repository; prints how to use and remove them");
  command
      .add_option("--directory", arguments->spec.directory,
                  "directory for the laboratory [the state directory]")
      ->type_name("DIR");
  command
      .add_option("--size", arguments->spec.size_factor,
                  "size factor of the databases; 1 is about 90 MB [1]")
      ->type_name("FACTOR")
      ->check(CLI::Range(0.01, 1000.0).description(""));
  command.add_option("--json", arguments->json, "also write the report as JSON")->type_name("FILE");
  command.add_option("--junit", arguments->junit, "also write the report as JUnit XML")
      ->type_name("FILE");
  command.add_option("--markdown", arguments->markdown, "also write the report as Markdown")
      ->type_name("FILE");
  command.add_option("--html", arguments->html, "also write the report as a page for a browser")
      ->type_name("FILE");
  return [arguments, &common](const std::stop_token& stop) {
    return run_demo(*arguments, common, stop);
  };
}

}  // namespace pgrehearse
