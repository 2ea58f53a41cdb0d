// The options and paths of a laboratory, and the configuration generated from them.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/laboratory/backup_tool.hpp"

namespace pgrehearse {

struct LaboratoryOptions {
  std::string id;                   // names its directory; unique on this host
  std::filesystem::path state;      // the harness's state directory, where it is registered
  std::filesystem::path directory;  // parent directory; empty: `state`
  std::string account;              // empty: postgres for root, else the current account
  int postgres_major = 0;           // 0: the newest installed
  std::optional<std::filesystem::path> binaries;  // directory of the PostgreSQL binaries
  BackupTool tool = BackupTool::pgbackrest;
  std::string pgbackrest = "pgbackrest";
  std::string barman = "barman";
  std::string stanza = "demo";  // also the name of the server in Barman's configuration
  bool checksums = true;
  std::vector<std::string> initdb_options;  // {"--locale-provider=icu"}
  Bytes wal_segment_size{std::uint64_t{16} << 20};
  std::string wal_level = "replica";
  std::chrono::seconds archive_timeout{0};
  std::string compress_type = "lz4";
  int process_max = 2;
  std::string cipher_passphrase;  // empty: the repository is not encrypted
  // Scenarios use the configuration of a repository host, with pg1-host.
  bool repository_host = false;
  // Start with copies of the PGDATA and the repository of another laboratory, whose cluster is
  // stopped.
  std::filesystem::path seed_data;        // empty: initdb
  std::filesystem::path seed_repository;  // empty: none yet
};

struct LaboratoryPaths {
  std::filesystem::path root;
  std::filesystem::path data;
  std::filesystem::path tablespaces;
  std::filesystem::path sockets;  // 0700 and short; not below root when root is a long name
  std::filesystem::path logs;
  std::filesystem::path scripts;
  std::filesystem::path repository;
  std::filesystem::path pgbackrest;          // lock, log and spool paths below it
  std::filesystem::path programs;            // Barman looks here first for PostgreSQL's binaries
  std::filesystem::path configuration;       // pgbackrest.conf of the primary's host; barman.conf
  std::filesystem::path host_configuration;  // pgbackrest.conf for a repository host
  std::filesystem::path record;              // read by open()
};

LaboratoryPaths laboratory_paths(const LaboratoryOptions& options);

// With %p, unquoted.
std::string laboratory_archive_command(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths);
// Settings appended to initdb's postgresql.conf.
std::string laboratory_postgresql_conf(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths);
// For the primary's host, or for a repository host that reaches it through pg1-host.
std::string laboratory_pgbackrest_conf(const LaboratoryOptions& options,
                                       const LaboratoryPaths& paths, bool repository_host);

std::string laboratory_barman_conf(const LaboratoryOptions& options, const LaboratoryPaths& paths);

RepositoryPlace repository_place(const LaboratoryOptions& options, const LaboratoryPaths& paths);

// The options as JSON for open(), without the passphrase.
std::string laboratory_record(const LaboratoryOptions& options);
// Throws Error(environment) when it is not such a record.
LaboratoryOptions laboratory_options_from_record(const std::string& text);

}  // namespace pgrehearse
