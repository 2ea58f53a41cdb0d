#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/copies_diff.hpp"
#include "harness/cli/copies_share.hpp"
#include "harness/cli/new_file.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/copies/advance.hpp"
#include "harness/copies/dump.hpp"
#include "harness/copies/kept_copies.hpp"
#include "harness/locate/target_words.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/progress/progress_choice.hpp"
#include "harness/scenario/sandbox_kinds.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

struct CopiesArguments {
  std::string action = "list";
  std::vector<std::string> words;  // the copies, or the copy and the database
  std::string target;
  std::string zone;
  std::vector<std::string> dumps;
  CopiesDiff diff;
  std::string time;
  CopiesShare share;
};

std::string first_of(const std::vector<std::string>& words) {
  return words.empty() ? std::string() : words.front();
}

Json json_of(const KeptCopy& copy) {
  const auto& entry = copy.entry;
  return {{"run_id", entry.run_id},
          {"scenario", entry.scenario},
          {"state", name_of(copy.state)},
          {"target", copy.record ? Json(copy.record->target) : Json(nullptr)},
          {"lsn", copy.lsn ? Json(to_text(*copy.lsn)) : Json(nullptr)},
          {"newest_commit", copy.newest ? Json(to_iso8601(*copy.newest)) : Json(nullptr)},
          {"created", entry.created},
          {"expires", entry.expires.empty() ? Json(nullptr) : Json(entry.expires)},
          {"bytes", copy.size.count},
          {"root", entry.root.string()}};
}

std::string age_of(const RegistryEntry& entry, Instant now) {
  const auto created = parse_instant(entry.created);
  return created ? duration_in_words(Seconds(now - *created).count()) : std::string("unknown");
}

std::string expiry_of(const RegistryEntry& entry, Instant now) {
  const auto expires = parse_instant(entry.expires);
  if (!expires) return "never";
  return *expires <= now ? "expired" : "in " + duration_in_words(Seconds(*expires - now).count());
}

void print_list(const std::vector<KeptCopy>& copies, const TimeZone& zone,
                const CommonOptions& common) {
  if (common.format == "json") {
    auto list = Json::array();
    for (const auto& copy : copies) list.push_back(json_of(copy));
    std::cout << list.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    return;
  }
  if (copies.empty()) std::cout << "no copies\n";
  const Instant now = std::chrono::system_clock::now();
  for (const auto& copy : copies) {
    std::cout << fmt::format("{}  {}  {}\n", copy.entry.run_id, name_of(copy.state),
                             printable(copy.entry.scenario));
    if (copy.record) std::cout << fmt::format("  target   {}\n", printable(copy.record->target));
    if (copy.lsn) {
      std::cout << fmt::format(
          "  at       {}{}\n", to_text(*copy.lsn),
          copy.newest ? ", newest commit " + in_both_zones(*copy.newest, zone) : std::string());
    }
    std::cout << fmt::format("  age      {}, expires {}, {}\n", age_of(copy.entry, now),
                             expiry_of(copy.entry, now), to_text(copy.size));
  }
}

// The copy as a sandbox; its lock is held until the result is destroyed.
std::unique_ptr<Sandbox> open(CommandRunner& runner, const CommonOptions& common,
                              const RegistryEntry& entry, const std::optional<CopyRecord>& record) {
  SandboxSpec spec{.scenario = entry.scenario, .options = LocalOptions{}};
  if (record) {
    spec.superuser = record->superuser;
    spec.binaries = record->binaries;
    spec.postgres_major = record->postgres_major;
  } else {
    const auto report =
        load_report(RunStore(common.state).find(entry.scenario + "/" + entry.run_id));
    if (report.backup) spec.postgres_major = std::stoi(report.backup->postgres_version);
  }
  return open_copy(runner, common.state, spec, entry.run_id);
}

std::string database_of(const CopiesArguments& arguments) {
  return arguments.words.size() > 1 ? arguments.words[1] : "postgres";
}

ExitCode connect(const CopiesArguments& arguments, const CommonOptions& common) {
  const auto entry = find_copy(common.state, first_of(arguments.words));
  const auto server = connection_to(entry, load_copy_record(common.state, entry.run_id));
  const auto database = database_of(arguments);
  std::vector<std::string> words{
      "psql", "-h",    server.at("host"), "-p", server.at("port"), "-U", server.at("user"),
      "-d",   database};
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::cout.flush();
  execvp("psql", pointers.data());
  throw Error(ErrorKind::environment, "psql cannot be started", "install postgresql-client");
}

// A scenario for what the copy was recovered from.
Scenario scenario_of(const CopyRecord& record, const RegistryEntry& entry,
                     const RecoveryTarget& target) {
  Scenario scenario{.name = entry.scenario, .repository = record.repository, .target = target};
  scenario.sandbox.type = default_sandbox_type;
  scenario.sandbox.options = LocalOptions{};
  scenario.sandbox.account = entry.account;
  scenario.sandbox.superuser = record.superuser;
  scenario.sandbox.binaries = record.binaries;
  return scenario;
}

ExitCode advance(const CopiesArguments& arguments, const CommonOptions& common,
                 const std::stop_token& stop) {
  const auto entry = find_copy(common.state, first_of(arguments.words));
  auto record = load_copy_record(common.state, entry.run_id);
  if (!record) {
    throw Error(ErrorKind::usage,
                fmt::format("copy {} was not kept by 'pgrehearse recover'", entry.run_id),
                "only its copies can be advanced");
  }
  const auto zone =
      arguments.zone.empty() ? TimeZone::of_terminal() : TimeZone::named(arguments.zone);
  if (arguments.target.empty()) {
    throw Error(ErrorKind::usage, "advance needs --to", "--to TARGET, as for 'pgrehearse recover'");
  }
  const auto target = parse_target(arguments.target, zone, std::chrono::system_clock::now());
  const auto scenario = scenario_of(*record, entry, target);
  const auto parts = wire(scenario, common.state, new_run_id());
  Preparation preparation(scenario, preparation_parts(parts), common.state);
  preparation.take_all(stop);
  const auto sandbox = open(*parts.commands, common, entry, record);
  auto progress = progress_on_stderr(common.quiet, common.no_color);
  if (!common.quiet) std::cerr << fmt::format("advancing to {}\n", in_words(target, zone));
  const auto landing = advance_copy({.sandbox = *sandbox,
                                     .repository = *parts.repository,
                                     .backup = preparation.choice->backup,
                                     .target = target,
                                     .lineage = *preparation.lineage,
                                     .log = parts.scratch->path() / "postgresql.log"},
                                    stop);
  progress.reset();
  record->target = target_word(target);
  record->landed = landing.lsn;
  save_copy_record(common.state, *record);
  if (common.format == "json") {
    std::cout << Json{{"run_id", entry.run_id},
                      {"lsn", landing.lsn ? Json(to_text(*landing.lsn)) : Json(nullptr)},
                      {"proved", landing.proved},
                      {"proof", landing.proof}}
                     .dump(2, ' ', false, Json::error_handler_t::replace)
              << '\n';
  } else {
    for (const auto& line : in_words(landing)) std::cout << printable(line) << '\n';
  }
  return landing.proved ? ExitCode::pass : ExitCode::unknown;
}

ExitCode dump_tables(const CopiesArguments& arguments, Sandbox& sandbox,
                     const std::stop_token& stop) {
  if (arguments.dumps.empty()) {
    throw Error(ErrorKind::usage, "dump needs --dump",
                "--dump shop.public.orders=orders.dump, or --dump shop=shop.dump");
  }
  for (const auto& text : arguments.dumps) {
    const auto request = parse_dump_request(text);
    NewFile file(request.file);
    const auto size = dump(sandbox, request, file.out(), stop);
    file.commit();
    std::cerr << fmt::format("dumped {} to {} ({})\n", request.object, request.file.string(),
                             to_text(size));
  }
  return ExitCode::pass;
}

ExitCode remove(const CopiesArguments& arguments, const CommonOptions& common) {
  const auto runner = real_command_runner();
  ExitCode code = ExitCode::pass;
  auto words = arguments.words;
  if (words.empty()) words.emplace_back();
  for (const auto& word : words) {
    const auto entry = find_copy(common.state, word);
    for (const auto& cleaner : all_cleaners(*runner, common.state)) {
      for (const auto& leftover : cleaner->list()) {
        if (leftover.run_id != entry.run_id) continue;
        const auto removal = cleaner->remove(leftover);
        if (!removal.complete()) code = ExitCode::unknown;
        std::cerr << fmt::format(
            "{} {}\n", removal.complete() ? "removed" : "could not remove all of", entry.run_id);
      }
    }
    remove_copy_record(common.state, entry.run_id);
  }
  return code;
}

ExitCode act(CopiesArguments& arguments, const CommonOptions& common, const std::stop_token& stop) {
  const auto& action = arguments.action;
  if (action == "list") {
    print_list(kept_copies(common.state, stop),
               arguments.zone.empty() ? TimeZone::of_terminal() : TimeZone::named(arguments.zone),
               common);
    return ExitCode::pass;
  }
  if (action == "connect") return connect(arguments, common);
  if (action == "remove") return remove(arguments, common);
  if (action == "advance") return advance(arguments, common, stop);
  const auto entry = find_copy(common.state, first_of(arguments.words));
  const auto runner = real_command_runner();
  auto sandbox = open(*runner, common, entry, load_copy_record(common.state, entry.run_id));
  if (action == "share") {
    auto shared = prepare_share(*sandbox, entry, arguments.share, stop);
    // While it is shared, others may advance, dump or remove it.
    sandbox.reset();
    return share_copy(std::move(shared), entry, arguments.share, database_of(arguments), common,
                      stop);
  }
  if (action == "dump") return dump_tables(arguments, *sandbox, stop);
  if (action == "promote") {
    promote_copy(*sandbox, stop);
    std::cerr << fmt::format("{} is open\n", entry.run_id);
    return ExitCode::pass;
  }
  if (arguments.diff.table.empty() || arguments.diff.against.empty()) {
    throw Error(ErrorKind::usage, "diff needs --table and --against",
                "--table shop.public.orders --against weekly.yaml");
  }
  if (!arguments.time.empty()) {
    const auto time = parse_duration(arguments.time);
    if (!time) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", arguments.time),
                  "for example --time 10min");
    }
    arguments.diff.time = *time;
  }
  return diff_copy(*sandbox, arguments.diff, common, stop);
}

}  // namespace

CommandAction configure_copies(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<CopiesArguments>();
  command.add_option("action", arguments->action, "what to do [list]")
      ->type_name("ACTION")
      ->check(one_of({"list", "connect", "advance", "dump", "diff", "share", "promote", "remove"}));
  command.add_option("copy", arguments->words, "run id of the copy, or a unique part of it")
      ->type_name("COPY");
  command.add_option("--to", arguments->target, "advance: the later target")->type_name("TARGET");
  command.add_option("--zone", arguments->zone, "time zone of times without one [the terminal's]")
      ->type_name("ZONE");
  command.add_option("--dump", arguments->dumps, "dump: what to write to which file")
      ->type_name("DATABASE[.SCHEMA.TABLE]=FILE")
      ->allow_extra_args(false);
  command.add_option("--table", arguments->diff.table, "diff: DATABASE.SCHEMA.TABLE")
      ->type_name("TABLE");
  command
      .add_option("--against", arguments->diff.against,
                  "diff: scenario with the primary, or a connection string without password")
      ->type_name("FILE|DSN");
  command.add_option("--csv", arguments->diff.csv, "diff: write the differences to this file")
      ->type_name("FILE");
  command
      .add_option("--sql", arguments->diff.sql,
                  "diff: write INSERT statements for the rows that only the copy has")
      ->type_name("FILE");
  command.add_option("--time", arguments->time, "diff: time limit for reading the primary [10min]")
      ->type_name("DURATION");
  command
      .add_option("--allow", arguments->share.allow,
                  "share: an account of this host, or a group as @GROUP; repeatable")
      ->type_name("ACCOUNT")
      ->allow_extra_args(false);
  command
      .add_option("--role", arguments->share.role,
                  "share: role of the copy [one that may read everything]")
      ->type_name("ROLE");
  auto* tcp = command.add_flag("--tcp", arguments->share.tcp,
                               "share: also on 127.0.0.1, with a new password");
  command.add_option("--port", arguments->share.port, "share: the port for --tcp [a free one]")
      ->type_name("PORT")
      ->needs(tcp);
  command.add_option("--for", arguments->share.time, "share: how long [until interrupted]")
      ->type_name("DURATION");
  return
      [arguments, &common](const std::stop_token& stop) { return act(*arguments, common, stop); };
}

}  // namespace pgrehearse
