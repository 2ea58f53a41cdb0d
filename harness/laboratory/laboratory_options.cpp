#include "harness/laboratory/laboratory_options.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// sun_path has 108 bytes, including "/.s.PGSQL.5432.lock" after the directory.
constexpr std::size_t longest_socket_directory = 80;

// The copy is complete before it has its name.
std::string copy_command(const std::filesystem::path& directory) {
  const auto to = shell_word(directory.native());
  return fmt::format(R"(cp "%p" {0}/.%f.part && mv {0}/.%f.part {0}/%f)", to);
}

}  // namespace

LaboratoryPaths laboratory_paths(const LaboratoryOptions& options) {
  const auto root = (options.directory.empty() ? options.state : options.directory) / options.id;
  auto sockets = root / "sockets";
  if (sockets.native().size() > longest_socket_directory) sockets = "/tmp/pgr-" + options.id;
  return {.root = root,
          .data = root / "data",
          .tablespaces = root / "tablespaces",
          .sockets = sockets,
          .logs = root / "logs",
          .scripts = root / "scripts",
          .repository = root / "repository",
          .pgbackrest = root / "pgbackrest",
          .programs = root / "programs",
          .configuration = root / "pgbackrest" /
                           (options.tool == BackupTool::barman ? "barman.conf" : "pgbackrest.conf"),
          .host_configuration = root / "pgbackrest" / "repository-host.conf",
          .record = root / "laboratory.json"};
}

std::string laboratory_archive_command(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths) {
  const auto place = repository_place(options, paths);
  if (options.tool == BackupTool::basebackup) return copy_command(place.archive());
  if (options.tool == BackupTool::barman) {
    return copy_command(paths.repository / options.stanza / "incoming");
  }
  return shell_command({options.pgbackrest, "--config=" + paths.configuration.native(),
                        "--stanza=" + options.stanza, "archive-push"}) +
         " \"%p\"";
}

std::string laboratory_postgresql_conf(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths) {
  return fmt::format(
      R"(
# settings of the laboratory
listen_addresses = ''
unix_socket_directories = {}
fsync = off
shared_buffers = 128MB
max_wal_size = 2GB
max_connections = 60
max_prepared_transactions = 5
max_locks_per_transaction = 80
max_wal_senders = 5
max_replication_slots = 5
wal_level = {}
track_commit_timestamp = on
archive_mode = on
archive_command = {}
archive_timeout = {}
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d '
timezone = 'UTC'
log_timezone = 'UTC'
)",
      quote_setting(paths.sockets.native()), options.wal_level,
      quote_setting(laboratory_archive_command(options, paths)), options.archive_timeout.count());
}

std::string laboratory_pgbackrest_conf(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths, bool repository_host) {
  const auto& own = paths.pgbackrest.native();
  std::string text = fmt::format(
      R"([global]
repo1-path={}
repo1-retention-full=3
lock-path={}/lock
log-path={}/log
spool-path={}/spool
log-level-console=warn
log-level-file=detail
process-max={}
compress-type={}
start-fast=y
)",
      paths.repository.native(), own, own, own, options.process_max, options.compress_type);
  if (!options.cipher_passphrase.empty()) {
    text += "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=" + options.cipher_passphrase + "\n";
  }
  text += fmt::format("\n[{}]\npg1-path={}\n", options.stanza, paths.data.native());
  if (repository_host) {
    // A reserved top-level domain: a drill that connects to it fails.
    text += "pg1-host=primary.invalid\npg1-host-user=postgres\n";
  } else {
    text += fmt::format("pg1-socket-path={}\npg1-user=postgres\n", paths.sockets.native());
  }
  return text;
}

std::string laboratory_barman_conf(const LaboratoryOptions& options, const LaboratoryPaths& paths) {
  return fmt::format(R"([barman]
barman_home = {0}
barman_user = {1}
barman_lock_directory = {2}/lock
log_file = {2}/log/barman.log
compression = gzip

[{3}]
description = laboratory
conninfo = host={4} port=5432 user=postgres dbname=postgres
streaming_conninfo = host={4} port=5432 user=postgres
backup_method = postgres
immediate_checkpoint = true
path_prefix = {5}
archiver = on
)",
                     paths.repository.native(), options.account, paths.pgbackrest.native(),
                     options.stanza, paths.sockets.native(), paths.programs.native());
}

RepositoryPlace repository_place(const LaboratoryOptions& options, const LaboratoryPaths& paths) {
  return {.tool = options.tool,
          .repository = paths.repository,
          .stanza = options.stanza,
          .configuration = paths.configuration};
}

std::string laboratory_record(const LaboratoryOptions& options) {
  nlohmann::ordered_json record{{"laboratory", 1},
                                {"id", options.id},
                                {"state", options.state.native()},
                                {"directory", options.directory.native()},
                                {"account", options.account},
                                {"postgres_major", options.postgres_major},
                                {"tool", name_of(options.tool)},
                                {"pgbackrest", options.pgbackrest},
                                {"stanza", options.stanza},
                                {"wal_segment_size", options.wal_segment_size.count},
                                {"compress_type", options.compress_type},
                                {"repository_host", options.repository_host}};
  if (options.binaries) record["binaries"] = options.binaries->native();
  return record.dump(2) + "\n";
}

LaboratoryOptions laboratory_options_from_record(const std::string& text) {
  try {
    const auto record = nlohmann::json::parse(text);
    LaboratoryOptions options{
        .id = record.at("id"),
        .state = record.at("state").get<std::string>(),
        .directory = record.at("directory").get<std::string>(),
        .account = record.at("account"),
        .postgres_major = record.at("postgres_major"),
        .tool =
            parse_backup_tool(record.value("tool", "pgbackrest")).value_or(BackupTool::pgbackrest),
        .pgbackrest = record.at("pgbackrest"),
        .stanza = record.at("stanza"),
        .wal_segment_size = {record.at("wal_segment_size")},
        .compress_type = record.at("compress_type"),
        .repository_host = record.at("repository_host")};
    if (record.contains("binaries")) options.binaries = record["binaries"].get<std::string>();
    return options;
  } catch (const nlohmann::json::exception& failure) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot read laboratory.json: {}", failure.what()));
  }
}

}  // namespace pgrehearse
