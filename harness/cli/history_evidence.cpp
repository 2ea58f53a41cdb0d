// `history verify`, `history prune`, `history import` and `history export`.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/history_commands.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/text.hpp"
#include "harness/history/evidence/archive.hpp"
#include "harness/history/evidence/drill_recording.hpp"
#include "harness/history/evidence/run_import.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/history/evidence/signature.hpp"
#include "harness/history/evidence/verification.hpp"
#include "harness/history/pruning.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Instant now() { return std::chrono::system_clock::now(); }

struct VerifyOptions {
  std::string allowed_signers;
  std::string expect;
};

std::optional<std::pair<std::uint64_t, std::string>> known_entry(const std::string& text) {
  if (text.empty()) return {};
  const auto colon = text.find(':');
  const auto sequence = number_of<std::uint64_t>(text);
  if (colon != std::string::npos && sequence > 0 && text.size() == colon + 65) {
    return std::pair(sequence, text.substr(colon + 1));
  }
  throw Error(ErrorKind::usage, fmt::format("--expect '{}' is not an entry of a ledger", text),
              "use what 'history verify' printed before: a number, a colon and a SHA-256");
}

void print_verification_json(const LedgerVerification& result) {
  Json problems = Json::array();
  for (const auto& problem : result.problems) {
    problems.push_back({{"object", problem.object}, {"message", problem.message}});
  }
  const Json document = {{"valid", result.problems.empty()},
                         {"entries", result.entries},
                         {"drills", result.drills},
                         {"directories", result.directories},
                         {"head", result.head},
                         {"problems", problems},
                         {"notes", result.notes}};
  std::cout << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_verification(const LedgerVerification& result, const Ledger& ledger) {
  for (const auto& problem : result.problems) {
    std::cout << fmt::format("{}: {}\n", printable(problem.object), printable(problem.message));
  }
  for (const auto& note : result.notes) std::cout << "note: " << printable(note) << '\n';
  std::cout << fmt::format(
      "{}: entries {}, drills {}, run directories {}; {}\n", printable(ledger.description()),
      result.entries, result.drills, result.directories,
      result.problems.empty() ? std::string("nothing was changed")
                              : fmt::format("problems: {}", result.problems.size()));
  std::cout << fmt::format("newest entry {}\n", result.head);
}

struct PruneOptions {
  std::string older_than;
  std::size_t keep = 0;
  bool dry_run = false;
};

PruningRule rule_of(const PruneOptions& options) {
  PruningRule rule;
  if (!options.older_than.empty()) {
    const auto age = parse_duration(options.older_than);
    if (!age) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", options.older_than),
                  "for example --older-than 400d");
    }
    rule.before = now() - *age;
  }
  if (options.keep > 0) rule.keep = options.keep;
  if (!rule.before && !rule.keep) {
    throw Error(ErrorKind::usage, "nothing says which drills to remove",
                "for example --older-than 400d, --keep 100, or both");
  }
  return rule;
}

// Only of this state directory: a row may have any path.
void remove_run_directory(const LedgerRow& row, const CommonOptions& common) {
  const auto directory = RunStore(common.state).directory_of(row.scenario, row.id);
  std::error_code failure;
  fs::remove_all(directory, failure);
  if (failure) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot remove {}: {}", directory.string(), failure.message()),
                "run as the account that ran the drills");
  }
}

ExitCode prune(const PruneOptions& options, const CommonOptions& common,
               const HistorySettings& settings, const std::stop_token& stop) {
  const auto rule = rule_of(options);
  auto ledger = open_existing_ledger(settings, common, stop);
  std::vector<LedgerRow> removed;
  if (ledger) removed = prunable(ledger->list({.host = host_name()}), rule);
  for (const auto& row : removed) {
    std::cout << fmt::format("{}{}/{}\n", options.dry_run ? "would remove " : "removed ",
                             printable(row.scenario), printable(row.id));
    if (!options.dry_run) remove_run_directory(row, common);
  }
  if (!options.dry_run && !removed.empty()) {
    ledger->prune(
        removed,
        {.operator_account = operator_of_this_process(), .host = host_name(), .at = now()});
  }
  std::cout << fmt::format("drills {}: {}\n", options.dry_run ? "that would be removed" : "removed",
                           removed.size());
  return ExitCode::pass;
}

// Whether the run directory has more than the ledger.
bool is_needed(const std::optional<LedgerRow>& existing, const LedgerRow& imported) {
  if (!existing) return true;
  return existing->state == DrillState::killed && imported.state == DrillState::finished;
}

ExitCode import_runs(const CommonOptions& common, const HistorySettings& settings,
                     const std::stop_token& stop) {
  auto ledger = open_ledger(stated_ledger(settings.dsn), common.state, stop);
  ledger.record_killed(now());
  const RunStore store(common.state);
  auto runs = store.all_runs();
  std::ranges::sort(runs, {}, &RunStore::Entry::id);
  std::size_t imported = 0;
  std::size_t unreadable = 0;
  for (const auto& run : runs) {
    const auto existing = ledger.find(run.id);
    if (existing && existing->state != DrillState::killed) continue;
    try {
      auto row = row_of_run(store.directory_of(run.scenario, run.id));
      if (!is_needed(existing, row)) continue;
      write_entry(ledger.import(row), row.directory);
      ++imported;
    } catch (const Error& error) {
      ++unreadable;
      spdlog::warn("{}/{} is not imported: {}", run.scenario, run.id, error.what());
    }
  }
  std::cout << fmt::format("drills imported into {}: {}\n", ledger.description(), imported);
  return unreadable == 0 ? ExitCode::pass : ExitCode::unknown;
}

struct ExportOptions {
  FilterOptions filter;
  std::string target;
  std::string key;
};

ExitCode export_evidence(const ExportOptions& options, const CommonOptions& common,
                         const HistorySettings& settings, const std::stop_token& stop) {
  auto ledger = open_ledger(stated_ledger(settings.dsn), common.state, stop);
  const auto runner = real_command_runner();
  EvidenceRequest request{.filter = filter_of(options.filter, now()),
                          .host = host_name(),
                          .state = common.state,
                          .target = options.target,
                          .now = now()};
  if (!options.key.empty()) request.key = options.key;
  const auto summary = write_evidence(ledger, request, *runner, stop);
  std::cout << fmt::format("{}: drills {}, with files {}, ledger entries {}; {}\n", options.target,
                           summary.drills, summary.directories, summary.entries,
                           options.key.empty() ? "not signed" : "signed");
  if (summary.directories < summary.drills) {
    spdlog::warn("drills whose files are not on this host: {}; export them there, too",
                 summary.drills - summary.directories);
  }
  return ExitCode::pass;
}

}  // namespace

CommandAction configure_history_verify(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings) {
  auto options = std::make_shared<VerifyOptions>();
  command
      .add_option("--allowed-signers", options->allowed_signers,
                  "also verify the signature of each drill with these SSH keys; see ssh-keygen(1)")
      ->type_name("FILE")
      ->check(CLI::ExistingFile.description(""));
  command
      .add_option("--expect", options->expect,
                  "an entry that 'history verify' printed before: it must still be there")
      ->type_name("NUMBER:HASH");
  return [&common, &settings, options](const std::stop_token& stop) {
    VerificationRequest request{
        .host = host_name(), .state = common.state, .known_entry = known_entry(options->expect)};
    const auto runner = real_command_runner();
    if (!options->allowed_signers.empty()) {
      request.signature = [&](const fs::path& directory) {
        return signature_problem(directory / entry_name, options->allowed_signers, *runner, stop);
      };
    }
    auto ledger = open_ledger(stated_ledger(settings.dsn), common.state, stop);
    const auto result = verify_ledger(ledger, request, stop);
    if (format_of(settings, common) == "json") {
      print_verification_json(result);
    } else {
      print_verification(result, ledger);
    }
    return result.problems.empty() ? ExitCode::pass : ExitCode::fail;
  };
}

CommandAction configure_history_prune(CLI::App& command, const CommonOptions& common,
                                      const HistorySettings& settings) {
  auto options = std::make_shared<PruneOptions>();
  command
      .add_option("--older-than", options->older_than,
                  "remove drills of this age, for example 400d")
      ->type_name("DURATION");
  command
      .add_option(
          "--keep", options->keep,
          "remove all but the newest N drills of each scenario; with --older-than, only old "
          "ones of them")
      ->type_name("N");
  command.add_flag("--dry-run", options->dry_run, "only list what would be removed");
  return [&common, &settings, options](const std::stop_token& stop) {
    return prune(*options, common, settings, stop);
  };
}

CommandAction configure_history_import(CLI::App& /*command*/, const CommonOptions& common,
                                       const HistorySettings& settings) {
  return [&common, &settings](const std::stop_token& stop) {
    return import_runs(common, settings, stop);
  };
}

CommandAction configure_history_export(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings) {
  auto options = std::make_shared<ExportOptions>();
  command.add_option("target", options->target, "a new file *.tar.gz, or a new directory")
      ->required()
      ->type_name("TARGET");
  add_filter_options(command, options->filter);
  command
      .add_option(
          "--sign", options->key,
          "sign with this SSH key: a private key without passphrase, or the public key of a "
          "key in ssh-agent")
      ->type_name("KEY");
  return [&common, &settings, options](const std::stop_token& stop) {
    return export_evidence(*options, common, settings, stop);
  };
}

}  // namespace pgrehearse
