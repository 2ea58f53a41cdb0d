#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iostream>
#include <utility>

#include "harness/cli/combined_reports.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/metrics_export.hpp"
#include "harness/cli/notifications.hpp"
#include "harness/cli/state_directory.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/common/units.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/serve/due_drill.hpp"

namespace pgrehearse {

namespace {

struct RunArguments {
  std::vector<std::filesystem::path> scenarios;
  std::vector<std::string> overrides;
  bool keep = false;
  std::string timeout;
  std::string json;
  std::string junit;
  std::string markdown;
  std::string html;
  bool report_line = false;
  bool if_due = false;
  std::string run_id;        // of `serve`
  std::string requested_by;  // of `serve`
  MetricsTargets metrics;
};

SessionOptions session_options(const RunArguments& arguments) {
  // Drills that a schedule started wait for each other; a person who starts one does not wait.
  SessionOptions options{.keep = arguments.keep,
                         .wait_for_stanza = arguments.if_due || !arguments.run_id.empty()};
  options.run_id = arguments.run_id;
  options.requested_by = arguments.requested_by;
  if (!arguments.timeout.empty()) {
    options.timeout = parse_duration(arguments.timeout);
    if (!options.timeout) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", arguments.timeout),
                  "for example --timeout 30min, 2h or 90s");
    }
  }
  if (!arguments.json.empty()) options.reports["json"] = arguments.json;
  if (!arguments.junit.empty()) options.reports["junit"] = arguments.junit;
  if (!arguments.markdown.empty()) options.reports["markdown"] = arguments.markdown;
  if (!arguments.html.empty()) options.reports["html"] = arguments.html;
  return options;
}

// Becomes the name of a directory.
CLI::Validator is_run_id() {
  return CLI::Validator(
      [](const std::string& word) {
        const bool valid = !word.empty() && word.size() <= 64 && word.front() != '-' &&
                           std::ranges::all_of(word, [](unsigned char character) {
                             return std::isalnum(character) != 0 || character == '-';
                           });
        return valid ? std::string() : fmt::format("'{}' is not a run id", word);
      },
      "");
}

// All scenarios are validated before the first drill starts.
std::vector<Scenario> load_all(const RunArguments& arguments, const SessionOptions& options) {
  auto scenarios = load_scenarios(arguments.scenarios, arguments.overrides);
  for (const auto& scenario : scenarios) {
    require_writable_reports(scenario, options);
    if (arguments.if_due && !scenario.schedule) {
      throw Error(ErrorKind::usage,
                  fmt::format("{}: --if-due requires a schedule", scenario.file.string()),
                  "for example schedule: { cron: \"0 3 * * 6\", zone: Europe/Berlin }");
    }
    const auto& kind = sandbox_kind(scenario.sandbox.type);
    if (options.keep && !kind.can_be_kept) {
      throw Error(ErrorKind::usage,
                  fmt::format("--keep cannot be used with sandbox.type: {}", kind.type),
                  "to inspect the instance, use --set sandbox.type=local");
    }
  }
  return scenarios;
}

void print_how_to_remove(const Report& report, const CommonOptions& common) {
  std::cerr << fmt::format("instance kept; to remove it: {}{}\n",
                           shell_command({"pgrehearse", "clean", report.id}),
                           state_option(common.state));
}

// For --if-due. False: nothing has to be run now; says why.
bool take_due_drill(const Scenario& scenario, SessionOptions& options, const CommonOptions& common,
                    const std::stop_token& stop) {
  auto ledger = open_ledger(ledger_of(scenario), common.state, stop);
  const auto decision =
      decide_due(ledger, ScheduleStamps(common.state), scenario, std::chrono::system_clock::now());
  if (decision.drill) {
    options.due = decision.drill->due;
    options.attempt = decision.drill->attempt;
    return true;
  }
  if (!common.quiet) {
    auto& stream = common.format == "json" ? std::cerr : std::cout;
    stream << fmt::format("{}: {}\n", scenario.name, decision.reason);
  }
  return false;
}

// The drills of one command.
class Drills {
 public:
  Drills(std::span<const Scenario> scenarios, SessionOptions options, const RunArguments& arguments,
         const CommonOptions& common)
      : arguments_(arguments),
        common_(common),
        options_(std::move(options)),
        several_(scenarios.size() > 1),
        json_list_(several_ && common.format == "json"),
        combined_(several_ ? std::exchange(options_.reports, {}) : decltype(options_.reports){},
                  scenarios) {}

  ExitCode run(std::span<const Scenario> scenarios, const std::stop_token& stop) {
    write_combined();
    if (json_list_) std::cout << "[\n";
    for (const auto& scenario : scenarios) {
      if (stop.stop_requested()) break;
      run(scenario, stop);
      write_combined();
    }
    if (json_list_) std::cout << "]\n";
    if (stop.stop_requested()) return ExitCode::interrupted;
    return worst_of(codes_);
  }

 private:
  void run(const Scenario& scenario, const std::stop_token& stop) {
    try {
      if (arguments_.if_due) {
        if (!take_due_drill(scenario, options_, common_, stop)) return;
        remove_leftovers(common_);
      }
      const auto session = run_session(scenario, options_, common_, stop);
      if (!session.started) return;
      codes_.push_back(exit_code_of(session));
      print(session.report);
      combined_.add(session.report);
      notify_of_drill(scenario, session.report, common_, stop);
      const bool exported =
          export_metrics(scenario, session.report, arguments_.metrics, common_, stop);
      if (!exported) codes_.push_back(ExitCode::unknown);
    } catch (const Error& error) {
      // A drill that cannot start must not go unnoticed, nor prevent the others.
      notify_of_error(scenario, error, stop);
      if (!several_) throw;
      spdlog::error("{}: {}{}{}", scenario.name, error.what(), error.hint().empty() ? "" : "; ",
                    error.hint());
      combined_.add_reason(scenario.name, error.what());
      codes_.push_back(exit_code_of(error.kind()));
    }
  }

  void print(const Report& report) {
    if (json_list_ && has_printed_) std::cout << ",\n";
    has_printed_ = true;
    print_report(report, common_);
    if (arguments_.report_line) print_report_line(report);
    if (report.sandbox.kept) print_how_to_remove(report, common_);
  }

  void write_combined() {
    if (!combined_.write()) codes_.push_back(ExitCode::unknown);
  }

  const RunArguments& arguments_;
  const CommonOptions& common_;
  SessionOptions options_;
  bool several_;
  bool json_list_;
  CombinedReports combined_;
  bool has_printed_ = false;
  std::vector<ExitCode> codes_;
};

ExitCode run_all(const RunArguments& arguments, const CommonOptions& common,
                 const std::stop_token& stop) {
  auto options = session_options(arguments);
  const auto scenarios = load_all(arguments, options);
  Drills drills(scenarios, std::move(options), arguments, common);
  if (!arguments.if_due) remove_leftovers(common);
  return drills.run(scenarios, stop);
}

}  // namespace

CommandAction configure_run(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<RunArguments>();
  command.add_option("scenario", arguments->scenarios, "scenario files; one drill each")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--set", arguments->overrides,
                  "override a scenario value: --set sandbox.memory=4GB")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--keep", arguments->keep,
                   "keep the instance running; prints how to connect to it and remove it");
  command.add_flag("--if-due", arguments->if_due,
                   "run only the drills that are due according to their `schedule`; for cron or a "
                   "timer that starts this command every few minutes");
  // For `serve` only: not in the help.
  command.add_option("--run-id", arguments->run_id)->check(is_run_id())->group("");
  command.add_option("--requested-by", arguments->requested_by)->group("");
  command.add_option("--timeout", arguments->timeout, "time limit of the drill, for example 30min")
      ->type_name("DURATION");
  command.add_flag(
      "--report-line", arguments->report_line,
      "also write the report as one line to standard error, for reading it from a pod's log");
  command
      .add_option("--json", arguments->json,
                  "also write the report as JSON; of several scenarios, a list")
      ->type_name("FILE");
  command
      .add_option("--junit", arguments->junit,
                  "also write the reports of all scenarios as JUnit XML")
      ->type_name("FILE");
  command
      .add_option("--markdown", arguments->markdown,
                  "also write the reports of all scenarios as Markdown")
      ->type_name("FILE");
  command
      .add_option("--html", arguments->html,
                  "also write the report as a page for a browser; a single scenario only")
      ->type_name("FILE");
  command
      .add_option("--metrics", arguments->metrics.file,
                  "also write metrics to this file for node_exporter's textfile collector")
      ->type_name("FILE");
  command
      .add_option("--pushgateway", arguments->metrics.pushgateway,
                  "also send metrics to this Prometheus Pushgateway")
      ->type_name("URL");
  return [arguments, &common](const std::stop_token& stop) {
    return run_all(*arguments, common, stop);
  };
}

}  // namespace pgrehearse
