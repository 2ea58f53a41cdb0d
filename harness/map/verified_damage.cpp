#include "harness/map/verified_damage.hpp"

namespace pgrehearse {

ArchiveDamage take_damage(std::vector<std::string>& problems, std::span<const Backup> sets,
                          const ArchiveListing& archive) {
  ArchiveDamage damage;
  std::erase_if(problems, [&](const std::string& problem) {
    const auto named = [&](const auto& name) { return problem.find(name) != std::string::npos; };
    for (const auto& file : archive.segments) {
      if (!named(file.file)) continue;
      damage.files[file.file] = problem;
      return true;
    }
    // Of "FULL_INCR/..." the longer label is meant.
    std::string label;
    for (const auto& set : sets) {
      if (set.label.size() > label.size() && named(set.label + "/")) label = set.label;
    }
    if (!label.empty()) damage.sets.emplace_back(label, problem);
    return !label.empty();
  });
  return damage;
}

}  // namespace pgrehearse
