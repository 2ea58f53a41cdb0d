#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "harness/cli/commands.hpp"
#include "harness/cli/options.hpp"
#include "harness/common/error.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/reporter.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

namespace {

struct ReportOptions {
  std::string run = "latest";
  std::string format;
  std::string output;
};

void print(const Report& report, const ReporterDescription& reporter, const CommonOptions& common) {
  const RenderOptions options{.color = wants_color(STDOUT_FILENO, common.no_color),
                              .width = terminal_width(STDOUT_FILENO)};
  reporter.write(report, options, std::cout);
  if (!std::cout.flush()) {
    throw Error(ErrorKind::environment, "cannot write to standard output",
                "use --output FILE to write to a file");
  }
}

}  // namespace

CommandAction configure_report(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<ReportOptions>();
  command
      .add_option("run", options->run,
                  "run id or a prefix of one, scenario, SCENARIO/latest, or a path [latest]")
      ->type_name("RUN");
  std::vector<std::string> formats;
  for (const auto& reporter : reporters()) formats.emplace_back(reporter.format);
  command.add_option("--format", options->format, "text, html, json, junit or markdown [text]")
      ->type_name("FORMAT")
      ->check(one_of(formats));
  command
      .add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  return [&common, options](const std::stop_token&) {
    // `pgrehearse --format json report` sets the common option.
    const auto& reporter = find_reporter(options->format.empty() ? common.format : options->format);
    const auto report = load_report(RunStore(common.state).find(options->run));
    if (options->output.empty() || options->output == "-") {
      print(report, reporter, common);
    } else {
      write_report_file(report, reporter.format, options->output);
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
