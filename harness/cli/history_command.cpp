#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/cli/commands.hpp"
#include "harness/cli/history_commands.hpp"
#include "harness/cli/options.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/history/ledger_columns.hpp"
#include "harness/history/ledger_csv.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

namespace {

struct HistoryOptions {
  FilterOptions filter;
  std::string scenario;  // as the only argument
  bool last_pass = false;
  std::size_t limit = 20;
};

using Json = nlohmann::ordered_json;

// A drill of the ledger, or a run directory that is not in it.
struct HistoryEntry {
  RunSummary run;
  std::optional<LedgerRow> row;
};

HistoryEntry entry_of(LedgerRow row, const std::set<std::string>& running) {
  HistoryEntry entry{.run = {.scenario = row.scenario,
                             .id = row.id,
                             .started = row.started,
                             .verdict = Verdict::unknown,
                             .diagnosis = row.diagnosis,
                             .path = row.directory}};
  if (row.state == DrillState::finished) {
    entry.run.verdict = row.verdict;
    if (row.finished) entry.run.seconds = *row.finished - row.started;
  } else if (row.state == DrillState::running) {
    entry.run.diagnosis = running.contains(row.id)
                              ? fmt::format("running on {}", row.host)
                              : std::string("did not finish: the process of the drill was killed");
  }
  entry.row = std::move(row);
  return entry;
}

Json json_of(const HistoryEntry& entry) {
  const auto& run = entry.run;
  Json object = {{"scenario", run.scenario},
                 {"id", run.id},
                 {"started", run.started ? Json(to_iso8601(*run.started)) : Json()},
                 {"seconds", run.seconds ? Json(run.seconds->count()) : Json()},
                 {"verdict", name_of(run.verdict)},
                 {"diagnosis", run.diagnosis},
                 {"path", run.path.string()},
                 {"in_ledger", entry.row.has_value()}};
  if (!entry.row) return object;
  const auto columns = Json::parse(json_line(*entry.row, 0, ""));
  for (const auto& [key, value] : columns.items()) {
    if (!object.contains(key)) object[key] = value;
  }
  return object;
}

void print_json(const std::vector<HistoryEntry>& entries) {
  Json list = Json::array();
  for (const auto& entry : entries) list.push_back(json_of(entry));
  std::cout << list.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_csv(const std::vector<HistoryEntry>& entries) {
  std::vector<LedgerRow> rows;
  for (const auto& entry : entries) {
    if (entry.row) rows.push_back(*entry.row);
  }
  std::cout << csv_of(rows);
}

// Not shortened when standard output is not a terminal: it may be searched.
void print_table(const std::vector<HistoryEntry>& entries, const CommonOptions& common) {
  const Palette paint(wants_color(STDOUT_FILENO, common.no_color));
  std::size_t scenarios = 8;
  std::size_t ids = 3;
  for (const auto& [run, row] : entries) {
    scenarios = std::max(scenarios, columns_of(printable(run.scenario)));
    ids = std::max(ids, columns_of(printable(run.id)));
  }
  const auto head =
      fmt::format("{:<19}  {}  {:<7}  {:>9}  {}  ", "STARTED (UTC)",
                  pad_right("SCENARIO", scenarios), "VERDICT", "TIME", pad_right("RUN", ids));
  std::cout << paint.dim(head + "DIAGNOSIS") << '\n';
  for (const auto& [run, row] : entries) {
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

[[noreturn]] void throw_unknown_scenario(const std::string& scenario,
                                         const std::vector<std::string>& known) {
  const auto near = nearest(scenario, known);
  throw Error(ErrorKind::usage, fmt::format("no runs of scenario '{}'", scenario),
              near ? fmt::format("did you mean '{}'?", *near)
                   : "'pgrehearse history' lists the runs of all scenarios");
}

class Listing {
 public:
  Listing(const HistoryOptions& options, std::optional<Ledger> ledger, RunStore store)
      : options_(options),
        ledger_(std::move(ledger)),
        store_(std::move(store)),
        filter_(filter_of(options.filter, std::chrono::system_clock::now())) {
    if (!filter_.scenario && !options.scenario.empty()) filter_.scenario = options.scenario;
    if (options.last_pass) filter_.verdict = Verdict::pass;
  }

  // One more than the limit if there are older ones.
  std::vector<HistoryEntry> entries() {
    require_known_scenario();
    std::vector<HistoryEntry> all;
    if (ledger_) add_rows(all);
    if (!filter_.stanza && !filter_.host) add_unlisted_runs(all);
    std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.run.id > b.run.id; });
    if (options_.last_pass) return newest_of_each_scenario(std::move(all));
    if (all.size() > wanted()) all.resize(wanted());
    return all;
  }

  [[nodiscard]] std::string place() const {
    return ledger_ ? ledger_->description() : std::string();
  }

 private:
  [[nodiscard]] std::size_t wanted() const {
    return options_.limit == 0 || options_.last_pass ? std::numeric_limits<std::size_t>::max()
                                                     : options_.limit + 1;
  }

  void require_known_scenario() {
    if (!filter_.scenario) return;
    auto known = store_.scenarios();
    if (ledger_) {
      for (const auto& row : ledger_->newest_of_each_scenario()) known.push_back(row.scenario);
    }
    if (std::ranges::find(known, *filter_.scenario) == known.end()) {
      throw_unknown_scenario(*filter_.scenario, known);
    }
  }

  void add_rows(std::vector<HistoryEntry>& all) {
    std::set<std::string> running;
    for (const auto& row : ledger_->running()) running.insert(row.id);
    auto filter = filter_;
    if (options_.limit != 0 && !options_.last_pass) filter.limit = wanted();
    auto rows =
        options_.last_pass ? ledger_->newest_pass_of_each_scenario() : ledger_->list(filter);
    for (auto& row : rows) {
      const bool matches = (!filter_.scenario || row.scenario == *filter_.scenario) &&
                           (!filter_.stanza || row.stanza == *filter_.stanza);
      if (matches) all.push_back(entry_of(std::move(row), running));
    }
  }

  // Of older releases, or of drills whose ledger is elsewhere.
  void add_unlisted_runs(std::vector<HistoryEntry>& all) {
    const auto listed = ledger_ ? ledger_->ids() : std::set<std::string>{};
    std::size_t added = 0;
    for (const auto& run : store_.all_runs(filter_.scenario)) {
      if (added == wanted()) return;
      if (listed.contains(run.id)) continue;
      auto summary = store_.summarise(run);
      if (!matches(summary)) continue;
      all.push_back({.run = std::move(summary)});
      ++added;
    }
  }

  [[nodiscard]] bool matches(const RunSummary& run) const {
    if (filter_.verdict && run.verdict != *filter_.verdict) return false;
    if (filter_.since && (!run.started || *run.started < *filter_.since)) return false;
    return !filter_.until || (run.started && *run.started < *filter_.until);
  }

  static std::vector<HistoryEntry> newest_of_each_scenario(std::vector<HistoryEntry> all) {
    std::set<std::string> seen;
    std::erase_if(all, [&](const auto& entry) { return !seen.insert(entry.run.scenario).second; });
    return all;
  }

  const HistoryOptions& options_;
  std::optional<Ledger> ledger_;
  RunStore store_;
  LedgerFilter filter_;
};

ExitCode list_history(const HistoryOptions& options, const HistorySettings& settings,
                      const CommonOptions& common, const std::stop_token& stop) {
  Listing listing(options, open_existing_ledger(settings, common, stop), RunStore(common.state));
  auto entries = listing.entries();
  const bool more = options.limit != 0 && !options.last_pass && entries.size() > options.limit;
  if (more) entries.resize(options.limit);
  const auto format = format_of(settings, common);
  if (format == "json") {
    print_json(entries);
  } else if (format == "csv") {
    print_csv(entries);
  } else if (entries.empty()) {
    std::cout << fmt::format("no runs in {}\n", common.state.string());
  } else {
    print_table(entries, common);
    if (more && !common.quiet) {
      std::cout << fmt::format("(for older runs: --limit {})\n", options.limit * 5);
    }
  }
  return ExitCode::pass;
}

struct Subcommand {
  std::string_view name;
  std::string_view summary;
  std::string_view example;
  CommandAction (*configure)(CLI::App&, const CommonOptions&, const HistorySettings&);
};

constexpr auto subcommands = std::to_array<Subcommand>({
    {"trends", "RTO, RPO, rates and size of past drills, oldest first",
     "pgrehearse history trends --stanza orders --since 90d --format csv",
     configure_history_trends},
    {"coverage", "which backups and which ranges of time were ever proved, and when last",
     "pgrehearse history coverage --stanza orders", configure_history_coverage},
    {"verify",
     "verify that nothing was changed: the chain of the ledger, its rows, the files of the drills",
     "pgrehearse history verify", configure_history_verify},
    {"prune", "remove old drills with their files; the ledger can still be verified",
     "pgrehearse history prune --older-than 400d --keep 100 --dry-run", configure_history_prune},
    {"import", "add run directories that are not in the ledger", "pgrehearse history import",
     configure_history_import},
    {"export", "write an archive with the evidence of drills, for an auditor",
     "pgrehearse history export evidence.tar.gz --since 90d --sign /etc/pgrehearse/evidence_key",
     configure_history_export},
});

}  // namespace

CommandAction configure_history(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<HistoryOptions>();
  auto settings = std::make_shared<HistorySettings>();
  command.add_option("scenario", options->scenario, "list only runs of this scenario")
      ->type_name("SCENARIO");
  command.add_option("-n,--limit", options->limit, "maximum number of runs; 0 for all [20]")
      ->type_name("N");
  command.add_flag("--last-pass", options->last_pass,
                   "list only the newest run of each scenario that passed");
  add_filter_options(command, options->filter);
  add_ledger_option(command, settings->dsn);
  command.add_option("--format", settings->format, "text, json or csv [text]")
      ->type_name("FORMAT")
      ->check(one_of({"text", "json", "csv"}));
  struct Configured {
    const CLI::App* app;
    CommandAction action;
  };
  auto configured = std::make_shared<std::vector<Configured>>();
  for (const auto& row : subcommands) {
    auto* sub = command.add_subcommand(std::string(row.name), std::string(row.summary));
    sub->set_help_flag("-h,--help", "show this help");
    sub->footer(fmt::format("Example:\n  {}", row.example));
    sub->fallthrough();
    configured->push_back({sub, row.configure(*sub, common, *settings)});
  }
  command.require_subcommand(0, 1);
  return [&common, options, settings, configured](const std::stop_token& stop) {
    for (const auto& [app, action] : *configured) {
      if (app->parsed()) return action(stop);
    }
    return list_history(*options, *settings, common, stop);
  };
}

}  // namespace pgrehearse
