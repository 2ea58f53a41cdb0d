// A stanza with four sets on two timelines, and copies of its repository that are damaged in the
// ways that archives are.
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

// What was written, in this order: full set, incremental set, full set, promotion of a second
// server, another full set there; work before and after each, also on the server that was left.
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

// How many kinds of damage there are; the first is none.
std::size_t damage_kinds();
// Copies the repository below `directory` and damages the copy. `kind` counts on: another round of
// a kind hits something else.
DamagedArchive damage_archive(const WrittenArchive& written, std::size_t kind, Dice& dice,
                              const std::filesystem::path& directory, CommandRunner& runner);

}  // namespace pgrehearse
