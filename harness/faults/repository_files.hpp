// Finding and spoiling the files of a repository that a planter may damage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/faults/damage.hpp"

namespace pgrehearse {

// The ordinary files below "archive" or "backup" of the stanza, by path.
std::vector<std::filesystem::path> repository_files(const PlantingSite& site,
                                                    std::string_view part);

// Whether it is an archived segment: its name, a dash, its checksum.
bool is_segment(const std::filesystem::path& file);

// first, last, middle (replay of the newest backup needs it), switch (the last one of the old
// timeline), or the name of a segment. Throws Error(internal) when there is none.
std::filesystem::path find_segment(const PlantingSite& site, const std::string& which);

// Turns one bit of the byte at `at`.
void flip_byte(const std::filesystem::path& file, std::uint64_t at);

// It and everything below belongs to the laboratory's account again.
void give_to(const PlantingSite& site, const std::filesystem::path& directory);

}  // namespace pgrehearse
