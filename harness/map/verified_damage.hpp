// Problems that the backup tool's own verification reports, assigned to WAL segments and backups.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// Damage in one archive and its cluster's backups.
struct ArchiveDamage {
  std::map<std::string, std::string> files;                  // problem by segment file
  std::vector<std::pair<std::string, std::string>> backups;  // label, problem
};

// Removes from `problems` those that name a segment of this archive or one of `backups`.
ArchiveDamage take_damage(std::vector<std::string>& problems, std::span<const Backup> backups,
                          const ArchiveListing& archive);

}  // namespace pgrehearse
