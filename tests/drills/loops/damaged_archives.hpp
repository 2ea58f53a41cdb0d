// A stanza with four backups on two timelines, and copies of its repository with the kinds of
// damage that archives suffer.
#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

using Dice = std::mt19937_64;

// Written in this order: full backup, incremental backup, full backup, promotion of a second
// server, full backup of that server; with transactions before and after each, also on the old
// primary.
struct WrittenArchive {
  std::unique_ptr<Laboratory> laboratory;  // stopped
  Instant began;                           // of the first work
  Instant forked;                          // no commit between the switch and this
  Instant ended;
};

// Takes about half a minute. `directory` is empty.
WrittenArchive write_archive(const std::filesystem::path& directory, CommandRunner& runner);

struct DamagedArchive {
  std::string name;
  std::string damage;  // in words, with what was hit
  std::filesystem::path configuration;
};

// The number of kinds of damage; the first is no damage.
std::size_t damage_kinds();
// Copies the repository below `directory` and damages the copy. A larger `kind`
// starts another round of the same kinds, with other files damaged.
DamagedArchive damage_archive(const WrittenArchive& written, std::size_t kind, Dice& dice,
                              const std::filesystem::path& directory, CommandRunner& runner);

}  // namespace pgrehearse
