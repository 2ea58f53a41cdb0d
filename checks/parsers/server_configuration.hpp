// What production's configuration files said, read from the restored files. The instance itself
// runs under the quarantine's configuration and cannot show it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct ConfigurationLine {
  std::string name;  // lower case
  std::string value;
  int line = 0;
};

// The syntax of postgresql.conf; lines that PostgreSQL would refuse have an empty name.
std::vector<ConfigurationLine> parse_configuration(std::string_view text);

// How the restored files are read.
struct ConfigurationFiles {
  // nullopt when there is no such file.
  std::function<std::optional<std::string>(const std::filesystem::path& file)> read;
  // The *.conf files of a directory in PostgreSQL's order; nullopt when there is no such directory.
  std::function<std::optional<std::vector<std::filesystem::path>>(
      const std::filesystem::path& directory)>
      list;
};

struct ServerConfiguration {
  struct Entry {
    std::string value;
    std::string origin;  // "postgresql.conf:12"
  };
  std::map<std::string, Entry> values;  // the last one wins, as in PostgreSQL
  bool complete = false;                // postgresql.conf and all it includes were read
  std::vector<std::string> missing;  // included files that are not there: the server refuses them
  std::vector<std::string> outside;  // included from outside the data directory: not in the backup
  std::vector<std::string> unreadable;  // "postgresql.conf:7": the server refuses the line
};

// postgresql.conf below `data` with its includes, then `automatic`, which wins.
ServerConfiguration read_configuration(const ConfigurationFiles& files,
                                       const std::filesystem::path& data,
                                       const std::filesystem::path& automatic);

}  // namespace pgrehearse
