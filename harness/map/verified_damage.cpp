#include "harness/map/verified_damage.hpp"

namespace pgrehearse {

ArchiveDamage take_damage(std::vector<std::string>& problems, std::span<const Backup> backups,
                          const ArchiveListing& archive) {
  ArchiveDamage damage;
  std::erase_if(problems, [&](const std::string& problem) {
    const auto named = [&](const auto& name) { return problem.find(name) != std::string::npos; };
    for (const auto& file : archive.segments) {
      if (!named(file.file)) continue;
      damage.files[file.file] = problem;
      return true;
    }
    // "FULL_INCR/..." contains the label of the full backup, too: prefer the longer label.
    std::string label;
    for (const auto& backup : backups) {
      if (backup.label.size() > label.size() && named(backup.label + "/")) label = backup.label;
    }
    if (!label.empty()) damage.backups.emplace_back(label, problem);
    return !label.empty();
  });
  return damage;
}

}  // namespace pgrehearse
