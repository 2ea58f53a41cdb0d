#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "harness/cli/commands.hpp"
#include "harness/cli/new_file.hpp"
#include "harness/cli/stanza_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

struct InitArguments {
  StanzaOptions from;
  std::string primary;
  std::filesystem::path output;
};

// What a scenario needs to know about the host and the repository.
struct Inspection {
  std::vector<std::pair<std::string, std::string>> findings;
  Backup newest;
  std::string dsn;         // of the primary; empty: none was found
  std::string no_primary;  // why
  bool several_repositories = false;
};

// In double quotes: valid YAML for any text.
std::string yaml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// A server of the backed up cluster that this account can reach.
void find_primary(const InitArguments& arguments, const std::stop_token& stop, Inspection& found) {
  std::vector<std::string> candidates{"host=/var/run/postgresql dbname=postgres",
                                      "host=/tmp dbname=postgres"};
  if (!arguments.primary.empty()) candidates = {arguments.primary};
  for (const auto& dsn : candidates) {
    try {
      const auto identity = Primary(dsn).identity(stop);
      if (identity.system_identifier == found.newest.system_identifier) {
        found.dsn = dsn;
        found.findings.emplace_back(
            "primary", fmt::format("{} is the cluster of the backups", identity.member));
        return;
      }
      found.no_primary = fmt::format("{} is another cluster", identity.member);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || error.kind() == ErrorKind::usage) throw;
      if (found.no_primary.empty()) found.no_primary = "no server of this cluster on this host";
    }
  }
  if (!arguments.primary.empty()) {
    throw Error(ErrorKind::usage, fmt::format("the primary cannot be used: {}", found.no_primary),
                "check --primary, or omit it");
  }
  found.findings.emplace_back("primary", found.no_primary);
}

Inspection inspect(const Scenario& scenario, const InitArguments& arguments,
                   const CommonOptions& common, const std::stop_token& stop) {
  const auto parts = wire(scenario, common.state, new_run_id());
  Inspection found;
  for (const auto& requirement : parts.executor->requirements()) {
    try {
      found.findings.emplace_back(requirement.name, requirement.check(stop));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      // A scenario can be written although the archive has a gap; without a backup it cannot.
      found.findings.emplace_back(requirement.name, fmt::format("problem: {}", error.what()));
      if (requirement.name != "WAL continuity" && requirement.name != "disk space") throw;
    }
  }
  const auto list = parts.repository->list(stop);
  found.newest = list.backups.back();
  found.several_repositories = list.repositories.size() > 1;
  find_primary(arguments, stop, found);
  return found;
}

std::string repository_section(const Scenario& scenario, const Inspection& found) {
  const auto& repository = scenario.repository;
  std::string text = "repository:\n  type: pgbackrest\n";
  text += fmt::format("  stanza: {}\n", yaml_text(repository.stanza));
  if (repository.configuration) {
    text += fmt::format("  config: {}\n", yaml_text(repository.configuration->string()));
  }
  if (repository.key) {
    text += fmt::format("  repo: {}\n", *repository.key);
  } else if (found.several_repositories) {
    text += "  # repo: 1        # there are several repositories: drill each of them\n";
  }
  return text + "  backup: latest   # or oldest, or a label\n";
}

std::string primary_section(const Inspection& found) {
  if (found.dsn.empty()) {
    return "# The production server, for checks that compare with it. It is only read.\n"
           "# primary: { dsn: \"host=db1 dbname=postgres user=pgrehearse\" }\n";
  }
  return fmt::format(
      "# The production server, which is only read. Passwords belong in ~/.pgpass.\n"
      "primary: {{ dsn: {} }}\n",
      yaml_text(found.dsn));
}

std::string checks_section(const Inspection& found) {
  std::string text =
      "# 'pgrehearse checks' lists all checks.\n"
      "checks:\n"
      "  - wal_continuity     # every WAL segment from the backup to the newest is archived\n"
      "  - backup_integrity   # pgBackRest reports no errors in the backup\n"
      "  - databases          # every database accepts connections\n"
      "  - extensions         # their libraries can be loaded\n"
      "  - collations         # same versions as on the primary: else indexes are wrong\n"
      "  - indexes            # none is invalid\n"
      "  - sequences          # none is below the largest value of its column\n"
      "  - page_checksums     # every page, after a clean shutdown\n"
      "  - amcheck            # heaps and btree indexes\n";
  if (found.dsn.empty()) return text + "  # - row_counts: { against: primary, tolerance: 1% }\n";
  return text +
         "  - freshness          # the newest commit was recovered\n"
         "  - row_counts: { against: primary, tolerance: 1% }\n"
         "  # - comparison       # every row, exactly; reads the whole primary\n";
}

std::string scenario_text(const Scenario& scenario, const Inspection& found) {
  const auto& backup = found.newest;
  return fmt::format(
      "# Written by 'pgrehearse init'. Newest backup: {} ({}, {}, PostgreSQL {}).\n"
      "# Reference: pgrehearse schema --reference\n"
      "name: {}\n"
      "{}{}"
      "recover_to: latest   # or immediate, or {{ time: \"2026-11-20 03:00:00+00\" }}\n"
      "sandbox:\n"
      "  type: local        # or docker, podman, vm, kubernetes\n"
      "  # directory: /srv/pgrehearse   # needs space for the restored cluster\n"
      "  # memory: 4GB                  # a quarter of the host's by default\n"
      "# The drill fails if it takes longer than rto, or loses more than rpo.\n"
      "# objectives: {{ rto: 30min, rpo: 10min }}\n"
      "# timeout: 4h\n"
      "{}",
      backup.label, name_of(backup.type), to_text(backup.size), backup.postgres_version,
      yaml_text(scenario.repository.stanza), repository_section(scenario, found),
      primary_section(found), checks_section(found));
}

ExitCode init(const InitArguments& arguments, const CommonOptions& common,
              const std::stop_token& stop) {
  const auto scenario = scenario_of(arguments.from, "init");
  const auto file = arguments.output.empty()
                        ? std::filesystem::path(scenario.repository.stanza + ".yaml")
                        : arguments.output;
  if (file != "-" && std::filesystem::exists(file)) {
    throw Error(ErrorKind::usage, fmt::format("{} exists already", file.string()),
                "choose another file with --output");
  }
  const auto found = inspect(scenario, arguments, common, stop);
  const auto text = scenario_text(scenario, found);
  // A mistake in the text above is a bug, not the user's.
  static_cast<void>(parse_scenario(text, file.string(), {}, all_checks()));
  NewFile out(file);
  out.out() << text;
  out.commit();
  if (common.quiet || file == "-") return ExitCode::pass;
  for (const auto& [name, finding] : found.findings) {
    std::cerr << fmt::format("  {:<22} {}\n", name, printable(finding));
  }
  std::cerr << fmt::format("{} written; next: {}\n", file.string(),
                           shell_command({"pgrehearse", "doctor", file.string()}));
  return ExitCode::pass;
}

}  // namespace

CommandAction configure_init(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<InitArguments>();
  command.add_option("--stanza", arguments->from.stanza, "stanza of the scenario")
      ->required()
      ->type_name("NAME");
  command.add_option("--config", arguments->from.configuration, "pgBackRest configuration file")
      ->type_name("FILE");
  command
      .add_option("--repo", arguments->from.repository_key,
                  "number of the repository, if there are several")
      ->type_name("KEY");
  command
      .add_option("--primary", arguments->primary,
                  "connection string of the production server, without password [a server on this "
                  "host, if it is that cluster]")
      ->type_name("DSN");
  command
      .add_option("-o,--output", arguments->output,
                  "file to write, - for standard output "
                  "[STANZA.yaml]")
      ->type_name("FILE");
  return
      [arguments, &common](const std::stop_token& stop) { return init(*arguments, common, stop); };
}

}  // namespace pgrehearse
