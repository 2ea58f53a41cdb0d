#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "harness/cli/archive_search.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/new_file.hpp"
#include "harness/cli/recovery_outlook.hpp"
#include "harness/cli/stanza_options.hpp"
#include "harness/cli/state_directory.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"
#include "harness/copies/clone.hpp"
#include "harness/copies/copy_record.hpp"
#include "harness/copies/dump.hpp"
#include "harness/copies/target_stops.hpp"
#include "harness/drill/check_context.hpp"
#include "harness/locate/target_words.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

struct RecoverArguments {
  StanzaOptions from;
  std::vector<std::string> targets;
  std::string zone;
  std::string backup;
  std::vector<std::string> databases;
  std::vector<std::string> dumps;
  std::string checks = "none";
  bool keep = false;
  std::string keep_for;
  std::string directory;
  std::string timeout;
};

constexpr std::chrono::hours default_life{24};
// Need neither a primary nor a promoted copy.
constexpr std::array<std::string_view, 4> basic_checks{"databases", "collations", "extensions",
                                                       "indexes"};

std::chrono::milliseconds duration_of(const std::string& text, std::string_view option) {
  if (const auto duration = parse_duration(text)) return *duration;
  throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", text),
              fmt::format("for example {} 30min, 8h or 2d", option));
}

std::vector<CheckRequest> checks_of(const std::string& words) {
  if (words == "none") return {};
  std::vector<CheckRequest> checks;
  if (words == "basic") {
    for (const auto name : basic_checks) {
      checks.push_back({.check = std::string(name), .name = std::string(name), .settings = {}});
    }
    return checks;
  }
  return load_scenario(words, {}, all_checks()).checks;
}

// A recovery is no drill of its scenario: it has its own name, and neither objectives nor reports.
Scenario recovery_scenario(const RecoverArguments& arguments) {
  auto scenario = scenario_of(arguments.from, "recover");
  scenario.name = "recover-" + scenario.repository.stanza;
  scenario.objectives = {};
  scenario.reports.clear();
  if (arguments.from.scenario.empty() || arguments.checks != "none") scenario.primary.reset();
  if (!arguments.backup.empty()) scenario.repository.backup = arguments.backup;
  scenario.repository.databases = arguments.databases;
  scenario.checks = checks_of(arguments.checks);
  if (arguments.checks != "none" && arguments.checks != "basic") {
    scenario.primary = load_scenario(arguments.checks, {}, all_checks()).primary;
  }
  if (!arguments.directory.empty()) {
    scenario.sandbox.directory = std::filesystem::absolute(arguments.directory);
  }
  const auto& kind = sandbox_kind(scenario.sandbox.type);
  if (scenario.kubernetes || (arguments.keep && !kind.can_be_kept)) {
    throw Error(ErrorKind::usage,
                fmt::format("recover cannot be used with sandbox.type: {}", kind.type),
                "add --set sandbox.type=local");
  }
  if (arguments.keep) {
    scenario.sandbox.keep_for =
        arguments.keep_for.empty() ? default_life : duration_of(arguments.keep_for, "--for");
  }
  return scenario;
}

std::vector<DumpRecord> write_dumps(Sandbox& sandbox, const std::vector<DumpRequest>& requests,
                                    const std::stop_token& stop) {
  std::vector<DumpRecord> written;
  for (const auto& request : requests) {
    NewFile file(request.file);
    const auto size = dump(sandbox, request, file.out(), stop);
    file.commit();
    written.push_back(
        {.object = request.object, .file = request.file.string(), .bytes = size.count});
  }
  return written;
}

std::vector<DumpRequest> for_target(std::vector<DumpRequest> requests, std::size_t number) {
  for (auto& request : requests) request.file = numbered(request.file, number);
  return requests;
}

void print_results(const Report& report, const CommonOptions& common) {
  std::vector<DumpRecord> dumps;
  for (const auto& stop : report.stops) {
    dumps.insert(dumps.end(), stop.dumps.begin(), stop.dumps.end());
  }
  dumps.insert(dumps.end(), report.dumps.begin(), report.dumps.end());
  for (const auto& done : dumps) {
    std::cerr << fmt::format("dumped {} to {} ({})\n", done.object, done.file,
                             to_text(Bytes{done.bytes}));
  }
  for (const auto& stop : report.stops) {
    if (stop.copy.empty()) continue;
    std::cerr << fmt::format("copy {} kept at {}\n", stop.copy, printable(stop.target));
  }
  if (!report.sandbox.kept) return;
  const auto state = state_option(common.state);
  std::cerr << fmt::format("copy kept; to connect: {}\n", report.sandbox.connect);
  std::cerr << fmt::format("to remove it: {}{}\n",
                           shell_command({"pgrehearse", "copies", "remove", report.id}), state);
}

void record_copy(const Scenario& scenario, const Report& report, const CommonOptions& common) {
  if (!report.sandbox.kept || !report.backup || !report.landing) return;
  auto repository = scenario.repository;
  repository.backup = report.backup->label;
  save_copy_record(common.state, {.run_id = report.id,
                                  .repository = std::move(repository),
                                  .superuser = scenario.sandbox.superuser,
                                  .binaries = scenario.sandbox.binaries,
                                  .postgres_major = std::stoi(report.backup->postgres_version),
                                  .target = target_word(scenario.target),
                                  .landed = report.landing->lsn});
}

// The targets before the last one, and where they are.
struct SeveralTargets {
  std::vector<TargetStop> stops;
  std::string last;          // in words
  ScenarioParts parts = {};  // of the sandbox in `fetched`, which is destroyed first
  FetchedWal fetched = {};
};

std::optional<TransactionMark> mark_of(const std::optional<TransactionEnd>& end) {
  if (!end) return {};
  return TransactionMark{
      .xid = end->xid, .lsn = end->lsn, .time = end->time, .aborted = end->aborted};
}

// Finds the targets in the WAL; the scenario recovers to the last one.
SeveralTargets order_targets(Scenario& scenario, const std::vector<RecoveryTarget>& targets,
                             const ScenarioParts& parts, const Preparation& preparation,
                             const TimeZone& zone, const CommonOptions& common,
                             const std::stop_token& stop) {
  auto [ordered, fetched] = resolve_targets(targets, parts, preparation, common, stop);
  SeveralTargets several{
      .stops = {}, .last = in_words(ordered.back().target, zone), .fetched = std::move(fetched)};
  for (const auto& each : std::span(ordered).first(ordered.size() - 1)) {
    if (!each.stop) continue;  // latest, given twice
    several.stops.push_back({.lsn = *each.stop,
                             .name = in_words(each.target, zone),
                             .last_applied = mark_of(each.last_applied),
                             .first_withheld = mark_of(each.first_withheld)});
  }
  if (const auto last = ordered.back().stop) {
    scenario.target = {.type = TargetType::lsn, .lsn = last, .exclusive = true};
  } else {
    scenario.target = ordered.back().target;
  }
  return several;
}

std::vector<RecoveryTarget> parse_targets(const RecoverArguments& arguments, const TimeZone& zone) {
  std::vector<RecoveryTarget> targets;
  for (const auto& words : arguments.targets) {
    targets.push_back(parse_target(words, zone, std::chrono::system_clock::now()));
  }
  return targets;
}

void show_outlook(const Scenario& scenario, const SeveralTargets& several,
                  const RecoveryOutlook& outlook) {
  std::cerr << fmt::format("recovering stanza {}\n", scenario.repository.stanza);
  for (const auto& each : several.stops) {
    std::cerr << fmt::format("  {:<10} {}, LSN {}\n", "on the way", printable(each.name),
                             to_text(each.lsn));
  }
  if (!several.last.empty()) std::cerr << fmt::format("  {:<10} {}\n", "last", several.last);
  print(outlook, std::cerr);
}

// Before anything is restored: finds the targets, and shows what the recovery will need. Throws
// Error(usage) if it cannot reach them.
SeveralTargets look_for_targets(Scenario& scenario, const std::vector<RecoveryTarget>& targets,
                                const TimeZone& zone, const CommonOptions& common,
                                const std::stop_token& stop) {
  auto parts = wire(scenario, common.state, new_run_id());
  Preparation preparation(scenario, preparation_parts(parts), common.state);
  preparation.other_targets.assign(targets.begin() + 1, targets.end());
  preparation.take_all(stop);
  SeveralTargets several;
  if (targets.size() > 1) {
    scenario.repository.backup = preparation.choice->backup.label;
    several = order_targets(scenario, targets, parts, preparation, zone, common, stop);
  }
  const auto outlook = look_ahead(scenario, parts, preparation, zone, common, stop);
  if (!common.quiet) show_outlook(scenario, several, outlook);
  if (several.fetched.sandbox) several.parts = std::move(parts);
  if (outlook.unreachable.empty()) return several;
  throw Error(ErrorKind::usage,
              fmt::format("the target cannot be reached: {}", outlook.unreachable),
              "'pgrehearse map' shows what can be recovered; --to latest recovers all of it");
}

// Keeps a copy at each target on the way, as long as the file system can clone files.
class CopyKeeper {
 public:
  CopyKeeper(const Scenario& scenario, const CommonOptions& common, TargetStops& stops)
      : scenario_(scenario), common_(common), stops_(stops), runner_(real_command_runner()) {}

  void keep_at(const Sandbox& sandbox, const PausePoint& point) {
    auto* record = stops_.record_at(point);
    if (record == nullptr || impossible_) return;
    const auto run_id = new_run_id();
    try {
      const auto clone = clone_copy(*runner_, common_.state, sandbox, run_id);
      start_clone(*clone, {});
    } catch (const Error& error) {
      impossible_ = true;
      std::cerr << fmt::format("no copies are kept on the way: {}\nhint: {}\n", error.what(),
                               error.hint());
      return;
    }
    record->copy = run_id;
    auto repository = scenario_.repository;
    save_copy_record(
        common_.state,
        {.run_id = run_id,
         .repository = std::move(repository),
         .superuser = scenario_.sandbox.superuser,
         .binaries = scenario_.sandbox.binaries,
         .postgres_major = sandbox.spec().postgres_major,
         .target = target_word({.type = TargetType::lsn, .lsn = point.lsn, .exclusive = true}),
         .landed = record->landing.lsn});
  }

 private:
  const Scenario& scenario_;
  const CommonOptions& common_;
  TargetStops& stops_;
  std::unique_ptr<CommandRunner> runner_;
  bool impossible_ = false;
};

ExitCode recover_to(const RecoverArguments& arguments, const CommonOptions& common,
                    const std::stop_token& stop) {
  const auto zone =
      arguments.zone.empty() ? TimeZone::of_terminal() : TimeZone::named(arguments.zone);
  if (!arguments.keep && !arguments.keep_for.empty()) {
    throw Error(ErrorKind::usage, "--for requires --keep", "add --keep");
  }
  auto scenario = recovery_scenario(arguments);
  const auto targets = parse_targets(arguments, zone);
  std::vector<DumpRequest> dumps;
  for (const auto& text : arguments.dumps) dumps.push_back(parse_dump_request(text));
  SessionOptions options{.keep = arguments.keep};
  if (!arguments.timeout.empty()) options.timeout = duration_of(arguments.timeout, "--timeout");
  remove_leftovers(common);
  scenario.target = targets.front();
  const auto several = look_for_targets(scenario, targets, zone, common, stop);

  TargetStops stops(several.stops, {.checks = all_checks(),
                                    .requests = scenario.checks,
                                    .dump = [&](Sandbox& sandbox, std::size_t number,
                                                const std::stop_token& over) {
                                      return write_dumps(sandbox, for_target(dumps, number), over);
                                    }});
  if (!several.stops.empty()) options.pause_point_visitors = {&stops};
  CopyKeeper keeper(scenario, common, stops);
  if (arguments.keep && !several.stops.empty() && scenario.sandbox.type == "local") {
    options.after_pause_point = [&](const Sandbox& sandbox, const PausePoint& point) {
      keeper.keep_at(sandbox, point);
    };
  }
  options.fetched = &several.fetched;
  options.stay_standby = targets.size() > 1 && scenario.target.type == TargetType::lsn;
  options.at_landing = [&](const LandedContext& context, Report& report) {
    stops.add_to(report);
    const auto last = targets.size() > 1 ? for_target(dumps, targets.size()) : dumps;
    report.dumps = write_dumps(context.sandbox, last, context.stop);
  };
  const auto session = run_session(scenario, options, common, stop);
  record_copy(scenario, session.report, common);
  print_report(session.report, common);
  print_results(session.report, common);
  if (stop.stop_requested()) return ExitCode::interrupted;
  return exit_code_of(session);
}

}  // namespace

CommandAction configure_recover(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<RecoverArguments>();
  add_stanza_options(command, arguments->from);
  command
      .add_option("--to", arguments->targets,
                  "recovery target; with several, one replay visits them in WAL order")
      ->required()
      ->type_name("TARGET")
      ->allow_extra_args(false);
  command.add_option("--zone", arguments->zone, "time zone of times without one [the terminal's]")
      ->type_name("ZONE");
  command.add_option("--backup", arguments->backup, "label of the backup, or oldest [by target]")
      ->type_name("LABEL");
  command
      .add_option("--databases", arguments->databases,
                  "partial restore: only these and the system databases")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--dump", arguments->dumps,
                  "write a table or a database at the target with pg_dump")
      ->type_name("DATABASE[.SCHEMA.TABLE]=FILE")
      ->allow_extra_args(false);
  command
      .add_option("--checks", arguments->checks,
                  "none, basic, or a scenario file with checks [none]")
      ->type_name("NAME|FILE");
  command.add_flag("--keep", arguments->keep, "keep the copy running");
  command.add_option("--for", arguments->keep_for, "how long to keep it [24h]")
      ->type_name("DURATION");
  command
      .add_option("--directory", arguments->directory,
                  "parent directory of the copy [the state directory]")
      ->type_name("DIR");
  command.add_option("--timeout", arguments->timeout, "time limit")->type_name("DURATION");
  return [arguments, &common](const std::stop_token& stop) {
    return recover_to(*arguments, common, stop);
  };
}

}  // namespace pgrehearse
