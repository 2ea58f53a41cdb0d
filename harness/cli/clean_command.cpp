#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/history_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/copies/copy_record.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

struct CleanOptions {
  std::vector<std::string> runs;
  bool kept = false;
  bool dry_run = false;
};

// A leftover, and the function that removes it.
struct Candidate {
  Leftover leftover;
  std::function<Removal()> remove;
};

enum class Action { removed, would_remove, skipped, failed };

struct Outcome {
  Leftover leftover;
  Action action = Action::skipped;
  std::string reason;  // why it was skipped
  Removal removal;
};

std::string_view name_of(Action action) {
  switch (action) {
    case Action::removed:
      return "removed";
    case Action::would_remove:
      return "would remove";
    case Action::skipped:
      return "skipped";
    case Action::failed:
      return "failed";
  }
  return "";
}

std::vector<Candidate> find_candidates(
    const std::vector<std::unique_ptr<LeftoverCleaner>>& cleaners) {
  std::vector<Candidate> candidates;
  for (const auto& cleaner : cleaners) {
    for (auto& leftover : cleaner->list()) {
      auto remove = [&cleaner, leftover] { return cleaner->remove(leftover); };
      candidates.push_back({.leftover = std::move(leftover), .remove = std::move(remove)});
    }
  }
  return candidates;
}

void require_known(const std::vector<std::string>& runs, const std::vector<Candidate>& candidates) {
  std::vector<std::string> known;
  known.reserve(candidates.size());
  for (const auto& candidate : candidates) known.push_back(candidate.leftover.run_id);
  for (const auto& run : runs) {
    if (std::find(known.begin(), known.end(), run) != known.end()) continue;
    const auto near = nearest(run, known);
    throw Error(ErrorKind::usage, fmt::format("nothing to clean up for run '{}'", run),
                near ? fmt::format("did you mean '{}'?", *near)
                     : std::string("'pgrehearse clean --dry-run' lists what can be removed"));
  }
}

// Why a leftover must not be removed; empty if it can be.
std::string reason_to_skip(const Leftover& leftover, const CleanOptions& options) {
  if (leftover.alive) return "the drill is still running";
  const bool named =
      std::find(options.runs.begin(), options.runs.end(), leftover.run_id) != options.runs.end();
  if (!named && !options.kept && !is_removable(leftover, std::chrono::system_clock::now()))
    return "kept on request; add --kept or give its run id to remove it";
  return {};
}

void amend(Ledger& ledger, const Report& report, const std::filesystem::path& run_directory) {
  auto row = ledger.find(report.id);
  if (!row || row->state != DrillState::finished) return;
  set_files(*row, run_directory);
  write_entry(ledger.amend(*row), run_directory);
}

// So that its report does not say how to connect to it.
void record_removal(const Outcome& outcome, const CommonOptions& common) {
  remove_copy_record(common.state, outcome.leftover.run_id);
  const RunStore store(common.state);
  try {
    const auto record = store.find(outcome.leftover.scenario + "/" + outcome.leftover.run_id);
    auto report = load_report(record);
    if (!report.sandbox.kept) return;
    report.sandbox.kept = false;
    report.sandbox.connect.clear();
    report.sandbox.removed = true;
    report.sandbox.removal = outcome.removal.removed;
    const auto run_directory = record.parent_path();
    RunDirectory(run_directory).save(report);
    write_run_reports(report, run_directory, drills_before(report, common, {}));
    if (auto ledger = open_existing_ledger({}, common, {})) {
      amend(*ledger, report, run_directory);
    }
  } catch (const Error& error) {
    // A laboratory and a drill that was killed early have no record.
    if (error.kind() != ErrorKind::usage) spdlog::error("{}; {}", error.what(), error.hint());
  }
}

Outcome remove(const Candidate& candidate) {
  Outcome outcome{.leftover = candidate.leftover};
  try {
    outcome.removal = candidate.remove();
    outcome.action = outcome.removal.complete() ? Action::removed : Action::failed;
  } catch (const Error& error) {
    // Another process may have taken it over since it was listed.
    outcome.action = Action::failed;
    outcome.reason = error.what();
  }
  return outcome;
}

std::vector<Outcome> clean(const std::vector<Candidate>& candidates, const CleanOptions& options,
                           const CommonOptions& common, const std::stop_token& stop) {
  std::vector<Outcome> outcomes;
  for (const auto& candidate : candidates) {
    const auto& leftover = candidate.leftover;
    const bool named =
        std::find(options.runs.begin(), options.runs.end(), leftover.run_id) != options.runs.end();
    if (!options.runs.empty() && !named) continue;
    throw_if_stopped(stop);
    auto reason = reason_to_skip(leftover, options);
    if (!reason.empty()) {
      outcomes.push_back(
          {.leftover = leftover, .action = Action::skipped, .reason = std::move(reason)});
    } else if (options.dry_run) {
      outcomes.push_back({.leftover = leftover, .action = Action::would_remove});
    } else {
      outcomes.push_back(remove(candidate));
      if (outcomes.back().action == Action::removed) record_removal(outcomes.back(), common);
    }
  }
  return outcomes;
}

void print_text(const std::vector<Outcome>& outcomes) {
  if (outcomes.empty()) std::cout << "nothing to remove\n";
  for (const auto& outcome : outcomes) {
    const auto& leftover = outcome.leftover;
    std::cout << fmt::format("{} {} ({} of '{}'){}{}\n", name_of(outcome.action), leftover.run_id,
                             leftover.type, printable(leftover.scenario),
                             outcome.reason.empty() ? "" : ": ", printable(outcome.reason));
    if (outcome.action == Action::skipped || outcome.action == Action::would_remove) {
      std::cout << fmt::format("  {} {}\n", leftover.root.is_absolute() ? "directory" : "in",
                               printable(leftover.root.string()));
    }
    for (const auto& line : outcome.removal.removed) {
      std::cout << fmt::format("  {}\n", printable(line));
    }
    for (const auto& line : outcome.removal.remaining) {
      std::cout << fmt::format("  not removed: {}\n", printable(line));
    }
  }
}

void print_json(const std::vector<Outcome>& outcomes) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& outcome : outcomes) {
    json.push_back({{"run_id", outcome.leftover.run_id},
                    {"type", outcome.leftover.type},
                    {"scenario", outcome.leftover.scenario},
                    {"root", outcome.leftover.root.string()},
                    {"kept", outcome.leftover.kept},
                    {"alive", outcome.leftover.alive},
                    {"action", name_of(outcome.action)},
                    {"reason", outcome.reason},
                    {"removed", outcome.removal.removed},
                    {"remaining", outcome.removal.remaining}});
  }
  std::cout << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

// A leftover that should be removed still exists.
bool anything_remains(const std::vector<Outcome>& outcomes, const CleanOptions& options) {
  return std::any_of(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) {
    return outcome.action == Action::failed ||
           (outcome.action == Action::skipped && !options.runs.empty());
  });
}

}  // namespace

CommandAction configure_clean(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<CleanOptions>();
  command
      .add_option("run", options->runs,
                  "remove only leftovers of these runs, including kept instances")
      ->type_name("RUN");
  command.add_flag("--kept", options->kept, "also remove instances kept with --keep");
  command.add_flag("--dry-run", options->dry_run, "list what would be removed; remove nothing");
  return [&common, options](const std::stop_token& stop) {
    const auto runner = real_command_runner();
    const auto cleaners = all_cleaners(*runner, common.state);
    const auto candidates = find_candidates(cleaners);
    require_known(options->runs, candidates);
    const auto outcomes = clean(candidates, *options, common, stop);
    if (common.format == "json") {
      print_json(outcomes);
    } else if (!common.quiet) {
      print_text(outcomes);
    }
    return anything_remains(outcomes, *options) ? ExitCode::unknown : ExitCode::pass;
  };
}

}  // namespace pgrehearse
