// Barman's configuration: where the files of one server are, and the drill's own configuration for
// it, which reaches no PostgreSQL server.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

struct BarmanConfiguration {
  std::map<std::string, std::string> global;  // section [barman]
  std::map<std::string, std::string> server;  // section of the server; empty: there is none
  std::vector<std::string> servers;           // names of all
  std::filesystem::path backups;              // directory of the base backups
  std::filesystem::path archive;              // directory of the WAL archive
  std::filesystem::path incoming;             // where archive_command puts WAL for Barman
};

// `texts`: the files in the order in which Barman reads them.
BarmanConfiguration parse_barman_configuration(const std::vector<std::string>& texts,
                                               const std::string& server);

// Reads the file, by default /etc/barman.conf, and those in its configuration_files_directory, as
// `account`. Throws Error(environment) when it cannot be read.
BarmanConfiguration read_barman_configuration(const std::optional<std::filesystem::path>& stated,
                                              const std::string& server, const Account& account);

// For commands that `account` runs; what they write is in `own`. Without connection strings and
// hook scripts: no command of a drill connects to the primary or runs a program of production. WAL
// that waits to be archived stays where it is.
std::string own_barman_configuration(const BarmanConfiguration& configuration,
                                     const std::string& server, const Account& account,
                                     const std::filesystem::path& own);

}  // namespace pgrehearse
