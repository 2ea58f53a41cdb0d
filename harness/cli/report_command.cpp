#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "harness/cli/commands.hpp"
#include "harness/cli/history_options.hpp"
#include "harness/cli/options.hpp"
#include "harness/common/error.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/reporter.hpp"
#include "harness/reporting/terminal.hpp"
#include "harness/sandbox/registry.hpp"

namespace pgrehearse {

namespace {

struct ReportOptions {
  std::string run = "latest";
  std::string format;
  std::string output;
};

// A copy may be gone without `clean`: removed by hand, or with the host's temporary files.
void require_kept_copy(Report& report, const std::filesystem::path& record,
                       const CommonOptions& common) {
  if (!report.sandbox.kept) return;
  const auto [end, ignored] = std::ranges::mismatch(common.state, record);
  if (end != common.state.end()) return;  // the run of another host or state directory
  const auto entry = Registry(common.state).find(report.id);
  std::error_code failure;
  if (entry && (!entry->root.is_absolute() || std::filesystem::exists(entry->root, failure))) {
    return;
  }
  report.sandbox.kept = false;
  report.sandbox.removed = true;
  report.sandbox.connect.clear();
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
  return [&common, options](const std::stop_token& stop) {
    // `pgrehearse --format json report` sets the common option.
    const auto& reporter = find_reporter(options->format.empty() ? common.format : options->format);
    const auto record = RunStore(common.state).find(options->run);
    auto report = load_report(record);
    require_kept_copy(report, record, common);
    const bool to_file = !options->output.empty() && options->output != "-";
    RenderOptions rendering{.verbose = to_file || common.verbose};
    if (!to_file) {
      rendering.color = wants_color(STDOUT_FILENO, common.no_color);
      rendering.width = terminal_width(STDOUT_FILENO);
    }
    if (reporter.format == "html") rendering.past = drills_before(report, common, stop);
    if (to_file) {
      write_report_file(report, reporter.format, options->output, rendering);
    } else {
      reporter.write(report, rendering, std::cout);
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
