// What the backup tool's own verification complains of, sorted by what it costs a recovery.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// In one archive and the sets made of it.
struct ArchiveDamage {
  std::map<std::string, std::string> files;               // of segments: what is wrong
  std::vector<std::pair<std::string, std::string>> sets;  // label, what is wrong
};

// Takes out of `problems` those that name a segment of this archive or one of its sets.
ArchiveDamage take_damage(std::vector<std::string>& problems, std::span<const Backup> sets,
                          const ArchiveListing& archive);

}  // namespace pgrehearse
