#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/archive_search.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/locate_when.hpp"
#include "harness/cli/stanza_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/drill/check_context.hpp"
#include "harness/locate/incident_search.hpp"
#include "harness/locate/target_words.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

struct LocateArguments {
  StanzaOptions from_options;
  std::string dropped;
  std::string truncated;
  std::string deleted;
  std::string updated;
  std::string database_dropped;
  std::string when;
  std::string database;
  std::uint64_t at_least = 1;
  std::string from;
  std::string to;
  std::string zone;
};

// The catalog that the search starts from, and where.
struct StartingPoint {
  CatalogRelations catalog;
  Lsn since;
  std::string source;  // "the primary"
};

IncidentQuestion question_of(const LocateArguments& arguments) {
  const std::array<std::pair<IncidentKind, const std::string*>, 5> kinds{
      {{IncidentKind::dropped, &arguments.dropped},
       {IncidentKind::truncated, &arguments.truncated},
       {IncidentKind::deleted, &arguments.deleted},
       {IncidentKind::updated, &arguments.updated},
       {IncidentKind::database_dropped, &arguments.database_dropped}}};
  const auto given =
      std::ranges::count_if(kinds, [](const auto& kind) { return !kind.second->empty(); });
  if (given != 1) {
    throw Error(
        ErrorKind::usage,
        given == 0 ? "no incident given" : "only one incident can be searched for at a time",
        "one of --dropped, --truncated, --deleted-from, --updated, --database-dropped and "
        "--when");
  }
  IncidentQuestion question{.at_least = arguments.at_least};
  for (const auto& [kind, text] : kinds) {
    if (text->empty()) continue;
    question.kind = kind;
    if (kind == IncidentKind::database_dropped) {
      question.table.database = *text;
    } else {
      question.table = parse_table_name(*text);
    }
  }
  return question;
}

CatalogRelations read_catalog(const IncidentQuestion& question,
                              const std::function<Connection(const std::string&)>& connect) {
  if (question.kind == IncidentKind::database_dropped) {
    auto connection = connect({});
    return {.database = question.table.database,
            .database_oid = database_oid(connection, question.table.database)};
  }
  auto connection = connect(question.table.database);
  return read_catalog_relations(connection, question.table);
}

bool is_found(const IncidentQuestion& question, const CatalogRelations& catalog) {
  return question.kind == IncidentKind::database_dropped ? catalog.database_oid != 0
                                                         : !catalog.searched.empty();
}

// Rows are deleted and updated in tables that the primary still has: if such a table has had its
// file since the backup, its catalog is enough.
std::optional<StartingPoint> start_from_primary(const IncidentQuestion& question,
                                                const ScenarioParts& parts, const Backup& backup,
                                                const std::stop_token& stop) {
  const bool counts =
      question.kind == IncidentKind::deleted || question.kind == IncidentKind::updated;
  if (!parts.primary || !counts || !backup.stop_lsn) return {};
  try {
    auto catalog = read_catalog(question, [&](const std::string& database) {
      return parts.primary->connect(database, stop);
    });
    if (!is_found(question, catalog)) return {};
    return StartingPoint{.catalog = std::move(catalog),
                         .since = *backup.stop_lsn,
                         .source = "the catalog of the primary"};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    return {};
  }
}

[[noreturn]] void refuse_unknown(const IncidentQuestion& question, const Backup& backup) {
  const bool database = question.kind == IncidentKind::database_dropped;
  throw Error(
      ErrorKind::usage,
      fmt::format("{} {} does not exist in backup {}", database ? "database" : "table",
                  database ? question.table.database : to_text(question.table), backup.label),
      "the name is written as in the catalog: DATABASE.SCHEMA.TABLE; if it was created "
      "later, give --from a time after a later backup");
}

// Restores the backup as far as it is needed to read the table's files in the catalog.
StartingPoint start_from_backup(const IncidentQuestion& question, Scenario scenario,
                                const Backup& backup, const CommonOptions& common,
                                const std::stop_token& stop) {
  scenario.target = {.type = TargetType::immediate};
  scenario.repository.backup = backup.label;
  scenario.repository.databases = {question.table.database};
  StartingPoint start{.source = "backup " + backup.label};
  bool read = false;
  SessionOptions options;
  options.at_landing = [&](const LandedContext& context, Report& /*report*/) {
    const bool exists =
        question.kind == IncidentKind::database_dropped ||
        std::ranges::find(context.databases, question.table.database) != context.databases.end();
    if (exists) start.catalog = read_catalog(question, context.connect);
    start.since = context.landing.lsn.value();
    read = true;
  };
  const auto session = run_session(scenario, options, common, stop);
  if (!read) {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
    const auto& diagnosis = session.report.diagnosis;
    throw Error(ErrorKind::restore,
                fmt::format("backup {} cannot be restored to read its catalog: {}", backup.label,
                            diagnosis.summary),
                diagnosis.next_step, diagnosis.code, diagnosis.object);
  }
  return start;
}

std::vector<std::string> managers_of(const IncidentQuestion& question) {
  if (question.kind == IncidentKind::database_dropped) return {"Transaction", "Database"};
  std::vector<std::string> managers{"Transaction", "Storage"};
  if (question.kind == IncidentKind::deleted || question.kind == IncidentKind::updated) {
    managers.insert(managers.end(), {"Heap", "Heap2"});
  }
  return managers;
}

struct Search {
  Scenario scenario;
  IncidentQuestion question;
  TimeZone zone;
  const CommonOptions& common;
};

struct Located {
  IncidentSearch search;
  ScanOutcome scan;
};

Located scan(const Search& what, const ScenarioParts& parts, const Preparation& preparation,
             const StartingPoint& start, const std::stop_token& stop) {
  Located located{.search = IncidentSearch(what.question, start.catalog, start.since), .scan = {}};
  ArchiveSearch search{.managers = managers_of(what.question),
                       .begin = preparation.choice->backup.start_lsn.value_or(start.since)};
  if (located.search.counts_rows()) {
    search.watch = {.database = start.catalog.database_oid, .watched = located.search.watched()};
  }
  located.scan = search_archive(
      parts, preparation, search,
      [&](const WalChunk& chunk) {
        located.search.take(chunk);
        return true;
      },
      what.common, stop);
  return located;
}

// "pgrehearse recover ... --to before:743 --backup LABEL --keep"
std::string recover_command(const Search& what, const StanzaOptions& from,
                            const Preparation& preparation, const TransactionEnd& commit) {
  auto line = std::string("pgrehearse recover");
  if (!from.scenario.empty()) {
    line += " " + shell_word(from.scenario.native());
  } else {
    line += " --stanza " + shell_word(from.stanza);
    if (!from.configuration.empty()) line += " --config " + shell_word(from.configuration.native());
    if (from.repository_key) line += fmt::format(" --repo {}", *from.repository_key);
  }
  auto repository = what.scenario.repository;
  repository.backup = "latest";
  const auto choice =
      choose_backup(preparation.list, repository, {.type = TargetType::lsn, .lsn = commit.lsn});
  return fmt::format("{} --to before:{} --backup {} --keep", line, commit.xid, choice.backup.label);
}

std::string time_of(const TransactionEnd& commit, const TimeZone& zone) {
  return commit.time ? in_both_zones(*commit.time, zone) : "an unknown time";
}

Json json_of(const IncidentCandidate& candidate, std::uint64_t later, const std::string& command) {
  const auto& commit = candidate.commit;
  return {{"xid", commit.xid},
          {"commit_lsn", to_text(commit.lsn)},
          {"commit_time", commit.time ? Json(to_iso8601(*commit.time)) : Json(nullptr)},
          {"what", candidate.what},
          {"certain", candidate.certain},
          {"rows_before", candidate.rows ? Json(std::llround(*candidate.rows)) : Json(nullptr)},
          {"records",
           {{"inserted", candidate.counts.inserted},
            {"updated", candidate.counts.updated},
            {"deleted", candidate.counts.deleted},
            {"locked", candidate.counts.locked}}},
          {"relations", candidate.relations},
          {"later_commits", later},
          {"recover", command}};
}

void print_candidate(const Json& json, const IncidentCandidate& candidate, const TimeZone& zone) {
  std::cout << fmt::format("\ntransaction {}  {}{}\n", candidate.commit.xid,
                           printable(candidate.what),
                           candidate.certain ? "" : " (PostgreSQL 14 and older do not say which)");
  std::cout << fmt::format("  committed  {}, LSN {}\n", time_of(candidate.commit, zone),
                           to_text(candidate.commit.lsn));
  if (candidate.rows) {
    std::cout << fmt::format("  rows       about {} before it\n", std::llround(*candidate.rows));
  }
  for (const auto& relation : candidate.relations) {
    std::cout << fmt::format("  {:<10} {}\n",
                             &relation == &candidate.relations.front() ? "relations" : "",
                             printable(relation));
  }
  std::cout << fmt::format(
      "  later      {} transactions committed after it; a recovery to before "
      "it leaves them out\n",
      json["later_commits"].get<std::uint64_t>());
  std::cout << fmt::format("  recover    {}\n", json["recover"].get<std::string>());
}

ExitCode print(const Search& what, const StanzaOptions& from, const Preparation& preparation,
               const StartingPoint& start, const Located& located) {
  const auto& search = located.search;
  auto list = Json::array();
  for (const auto& candidate : search.candidates()) {
    const auto later = search.commits() - candidate.earlier_commits - 1;
    list.push_back(
        json_of(candidate, later, recover_command(what, from, preparation, candidate.commit)));
  }
  const Json json{{"candidates", list},
                  {"started_from", start.source},
                  {"since_lsn", to_text(start.since)},
                  {"segments", located.scan.segments},
                  {"commits", search.commits()},
                  {"lost_track", search.lost_track()}};
  if (what.common.format == "json") {
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    std::cout << fmt::format("searched {} WAL segments, {} transactions since {} ({})\n",
                             located.scan.segments, search.commits(), to_text(start.since),
                             printable(start.source));
    if (const auto& last = search.last_commit()) {
      std::cout << fmt::format("  up to the commit at {}, LSN {}\n", time_of(*last, what.zone),
                               to_text(last->lsn));
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      print_candidate(list[i], search.candidates()[i], what.zone);
    }
    if (list.empty()) std::cout << "no such transaction found\n";
    if (!search.lost_track().empty()) {
      std::cout << fmt::format("incomplete: {}\n", printable(search.lost_track()));
    }
  }
  std::cout.flush();
  if (!search.lost_track().empty()) return ExitCode::unknown;
  return list.empty() ? ExitCode::fail : ExitCode::pass;
}

Json json_of(const WhenAnswer& answer, const std::string& command) {
  Json json{{"xid", nullptr},          {"commit_lsn", nullptr},
            {"commit_time", nullptr},  {"commits", answer.commits},
            {"trials", answer.trials}, {"seconds", std::round(answer.took.count() * 10) / 10}};
  if (!answer.commit) return json;
  json["xid"] = answer.commit->xid;
  json["commit_lsn"] = to_text(answer.commit->lsn);
  if (answer.commit->time) json["commit_time"] = to_iso8601(*answer.commit->time);
  json["later_commits"] = answer.later_commits;
  json["recover"] = command;
  return json;
}

ExitCode locate_when(const LocateArguments& arguments, const Search& what,
                     const ScenarioParts& parts, const Preparation& preparation,
                     const std::stop_token& stop) {
  const auto answer = find_when({.trial = {.database = arguments.database, .sql = arguments.when},
                                 .from = what.question.from,
                                 .to = what.question.to},
                                parts, preparation, what.common, stop);
  const auto command =
      answer.commit ? recover_command(what, arguments.from_options, preparation, *answer.commit)
                    : std::string();
  if (what.common.format == "json") {
    std::cout << json_of(answer, command).dump(2, ' ', false, Json::error_handler_t::replace)
              << '\n';
  } else {
    std::cout << fmt::format("searched {} transactions with {} evaluations of the query in {}\n",
                             answer.commits, answer.trials, to_text(answer.took));
    if (answer.commit) {
      std::cout << fmt::format(
          "\ntransaction {}  true before it, not after it: {}\n"
          "  committed  {}, LSN {}\n"
          "  later      {} transactions committed after it; a recovery to before it leaves them "
          "out\n"
          "  recover    {}\n",
          answer.commit->xid, printable(arguments.when), time_of(*answer.commit, what.zone),
          to_text(answer.commit->lsn), answer.later_commits, command);
    } else {
      std::cout << "the query is still true at the end\n";
    }
  }
  std::cout.flush();
  return answer.commit ? ExitCode::pass : ExitCode::fail;
}

void read_range(const LocateArguments& arguments, const TimeZone& zone,
                IncidentQuestion& question) {
  const Instant now = std::chrono::system_clock::now();
  if (!arguments.from.empty()) question.from = parse_time(arguments.from, zone, now);
  if (!arguments.to.empty()) question.to = parse_time(arguments.to, zone, now);
}

ExitCode locate(const LocateArguments& arguments, const CommonOptions& common,
                const std::stop_token& stop) {
  Search what{
      .scenario = scenario_of(arguments.from_options, "locate"),
      .question = {},
      .zone = arguments.zone.empty() ? TimeZone::of_terminal() : TimeZone::named(arguments.zone),
      .common = common};
  const bool by_query = !arguments.when.empty();
  if (by_query && arguments.database.empty()) {
    throw Error(ErrorKind::usage, "--when needs --database", "the database to run the query in");
  }
  if (!by_query) what.question = question_of(arguments);
  read_range(arguments, what.zone, what.question);
  auto& scenario = what.scenario;
  scenario.name = "locate-" + scenario.repository.stanza;
  scenario.objectives = {};
  scenario.reports.clear();
  scenario.checks.clear();
  if (what.question.from) {
    scenario.target = {.type = TargetType::time, .time = what.question.from};
  } else {
    scenario.target = {.type = TargetType::immediate};
  }
  remove_leftovers(common);
  const auto parts = wire(scenario, common.state, new_run_id());
  Preparation preparation(scenario, preparation_parts(parts), common.state);
  preparation.take_all(stop);
  if (by_query) return locate_when(arguments, what, parts, preparation, stop);
  what.question.lists_dropped_relations = preparation.choice->backup.postgres_major >= 15;
  const auto& backup = preparation.choice->backup;
  auto without_primary = scenario;
  without_primary.primary.reset();
  if (const auto start = start_from_primary(what.question, parts, backup, stop)) {
    const auto located = scan(what, parts, preparation, *start, stop);
    if (located.search.rewrites() == 0 && !located.search.made_searched_file()) {
      return print(what, arguments.from_options, preparation, *start, located);
    }
  }
  const auto start = start_from_backup(what.question, without_primary, backup, common, stop);
  if (!is_found(what.question, start.catalog)) refuse_unknown(what.question, backup);
  const auto located = scan(what, parts, preparation, start, stop);
  return print(what, arguments.from_options, preparation, start, located);
}

}  // namespace

CommandAction configure_locate(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<LocateArguments>();
  add_stanza_options(command, arguments->from_options);
  const auto table = [&](const char* name, std::string& into, const char* what) {
    command.add_option(name, into, what)->type_name("TABLE");
  };
  table("--dropped", arguments->dropped, "DROP of this table: DATABASE.SCHEMA.TABLE");
  table("--truncated", arguments->truncated, "TRUNCATE of this table");
  table("--deleted-from", arguments->deleted, "DELETE of rows of this table");
  table("--updated", arguments->updated, "UPDATE of rows of this table");
  command.add_option("--database-dropped", arguments->database_dropped, "DROP of this database")
      ->type_name("NAME");
  command
      .add_option(
          "--when", arguments->when,
          "SQL that was true: the first commit after which it is not; run as superuser in a "
          "restored copy, read-only")
      ->type_name("SQL");
  command.add_option("--database", arguments->database, "database for --when")->type_name("NAME");
  command
      .add_option("--at-least", arguments->at_least,
                  "only transactions that deleted or updated at least this many rows [1]")
      ->type_name("N");
  command
      .add_option("--from", arguments->from,
                  "only transactions that committed at or after this time [the newest backup]")
      ->type_name("TIME");
  command
      .add_option(
          "--to", arguments->to,
          "only transactions that committed at or before this time [the end of the archive]")
      ->type_name("TIME");
  command.add_option("--zone", arguments->zone, "time zone of times without one [the terminal's]")
      ->type_name("ZONE");
  return [arguments, &common](const std::stop_token& stop) {
    return locate(*arguments, common, stop);
  };
}

}  // namespace pgrehearse
