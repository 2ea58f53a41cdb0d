#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

namespace {

struct HistoryOptions {
  std::string scenario;
  std::size_t limit = 20;
};

using Json = nlohmann::ordered_json;

void print_json(const std::vector<RunSummary>& runs) {
  Json list = Json::array();
  for (const auto& run : runs) {
    list.push_back({{"scenario", run.scenario},
                    {"id", run.id},
                    {"started", run.started ? Json(to_iso8601(*run.started)) : Json()},
                    {"seconds", run.seconds ? Json(run.seconds->count()) : Json()},
                    {"verdict", name_of(run.verdict)},
                    {"diagnosis", run.diagnosis},
                    {"path", run.path.string()}});
  }
  std::cout << list.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

// Not shortened when standard output is not a terminal: it may be searched.
void print_table(const std::vector<RunSummary>& runs, const CommonOptions& common) {
  const Palette paint(wants_color(STDOUT_FILENO, common.no_color));
  std::size_t scenarios = 8;
  std::size_t ids = 3;
  for (const auto& run : runs) {
    scenarios = std::max(scenarios, columns_of(printable(run.scenario)));
    ids = std::max(ids, columns_of(printable(run.id)));
  }
  const auto head =
      fmt::format("{:<19}  {}  {:<7}  {:>9}  {}  ", "STARTED (UTC)",
                  pad_right("SCENARIO", scenarios), "VERDICT", "TIME", pad_right("RUN", ids));
  std::cout << paint.dim(head + "DIAGNOSIS") << '\n';
  for (const auto& run : runs) {
    const auto word = shown_name_of(run.verdict);
    std::string diagnosis = printable(run.diagnosis);
    if (is_terminal(STDOUT_FILENO)) {
      const auto width = static_cast<std::size_t>(terminal_width(STDOUT_FILENO));
      diagnosis = cut_to(diagnosis, width > head.size() + 20 ? width - head.size() : 20);
    }
    std::cout << fmt::format(
        "{:<19}  {}  {}{}  {:>9}  {}{}{}\n",
        run.started ? time_in_words(*run.started).substr(0, 19) : "unknown",
        pad_right(printable(run.scenario), scenarios), paint.of(run.verdict, word),
        std::string(7 - word.size(), ' '),
        run.seconds ? duration_in_words(run.seconds->count()) : "-",
        diagnosis.empty() ? printable(run.id) : pad_right(printable(run.id), ids),
        diagnosis.empty() ? "" : "  ", diagnosis);
  }
}

[[noreturn]] void throw_unknown_scenario(const std::string& scenario, const RunStore& store) {
  const auto near = nearest(scenario, store.scenarios());
  throw Error(ErrorKind::usage, fmt::format("no runs of scenario '{}'", scenario),
              near ? fmt::format("did you mean '{}'?", *near)
                   : "'pgrehearse history' lists the runs of all scenarios");
}

}  // namespace

CommandAction configure_history(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<HistoryOptions>();
  command.add_option("scenario", options->scenario, "list only runs of this scenario")
      ->type_name("SCENARIO");
  command.add_option("-n,--limit", options->limit, "maximum number of runs; 0 for all [20]")
      ->type_name("N");
  return [&common, options](const std::stop_token&) {
    const RunStore store(common.state);
    const bool all = options->limit == 0;
    const auto one = options->scenario.empty() ? std::nullopt : std::optional(options->scenario);
    const auto names = store.scenarios();
    if (one && std::find(names.begin(), names.end(), *one) == names.end()) {
      throw_unknown_scenario(*one, store);
    }
    // Read one more than is shown to find out whether there are older runs.
    constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
    auto runs = store.list(one, all ? no_limit : options->limit + 1);
    const bool more = !all && runs.size() > options->limit;
    if (more) runs.resize(options->limit);
    if (common.format == "json") {
      print_json(runs);
    } else if (runs.empty()) {
      std::cout << fmt::format("no runs in {}\n", common.state.string());
    } else {
      print_table(runs, common);
      if (more && !common.quiet) {
        std::cout << fmt::format("(for older runs: --limit {})\n", options->limit * 5);
      }
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
