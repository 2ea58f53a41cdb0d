// The backup tools as scenarios know them: one row per value of `repository.type`. How a repository
// of each kind is opened is in harness/cli/wiring.cpp.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

struct RepositoryKind {
  std::string_view type;
  std::string_view summary;                    // one line
  std::string_view example;                    // of the required keys
  std::span<const std::string_view> required;  // keys of the section `repository` ...
  std::span<const std::string_view> optional;  // ... besides `type` and `backup`
};

namespace repository_keys {
inline constexpr auto stanza = std::to_array<std::string_view>({"stanza"});
inline constexpr auto pgbackrest = std::to_array<std::string_view>({"config", "binary", "repo"});
inline constexpr auto directories = std::to_array<std::string_view>({"path", "archive"});
inline constexpr auto basebackup = std::to_array<std::string_view>({"restore_command"});
inline constexpr auto server = std::to_array<std::string_view>({"server"});
inline constexpr auto barman = std::to_array<std::string_view>({"config", "binary"});
}  // namespace repository_keys

inline constexpr auto repository_kinds = std::to_array<RepositoryKind>({
    {.type = "pgbackrest",
     .summary = "a pgBackRest stanza",
     .example = "stanza: orders",
     .required = repository_keys::stanza,
     .optional = repository_keys::pgbackrest},
    {.type = "basebackup",
     .summary = "backups of pg_basebackup, and a WAL archive in a directory",
     .example = "path: /backup/base, archive: /backup/wal",
     .required = repository_keys::directories,
     .optional = repository_keys::basebackup},
    {.type = "barman",
     .summary = "a server of Barman",
     .example = "server: orders",
     .required = repository_keys::server,
     .optional = repository_keys::barman},
});
inline constexpr auto default_repository_type = repository_kinds.front().type;

constexpr std::array<std::string_view, repository_kinds.size()> repository_types() {
  std::array<std::string_view, repository_kinds.size()> types{};
  for (std::size_t at = 0; at < types.size(); ++at) types.at(at) = repository_kinds.at(at).type;
  return types;
}

// "basebackup" for a key of that type only; empty for a key of every type.
std::string limited_to_repositories(std::string_view key);

// Reports keys that the section's type requires and does not have, and keys of another type.
void check_repository_keys(const YamlNode& root, std::vector<ScenarioError>& errors);

}  // namespace pgrehearse
