// Finding and spoiling the files of a repository that a planter may damage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/faults/damage/damage.hpp"

namespace pgrehearse {

// The ordinary files below "archive" or "backup" of the stanza, by path.
std::vector<std::filesystem::path> repository_files(const InjectionSite& site,
                                                    std::string_view part);

// Whether it is an archived segment: its name, a dash, its checksum.
bool is_segment(const std::filesystem::path& file);

// Those of one archived segment and of no other, by name.
std::vector<std::filesystem::path> archived_segments(const InjectionSite& site);

// first, last, backup_start, middle (of what replay of the restored set reads), switch (the last
// one of the old timeline), or the name of a segment. Throws DoesNotApply when there is none.
std::filesystem::path find_segment(const InjectionSite& site, const std::string& which);

// Its name without checksum and extension.
std::string segment_name(const std::filesystem::path& file);

// "00000002": the newest timeline that the archive knows; as files name it.
std::string newest_timeline(const InjectionSite& site);

// A file of a set as it is stored: with the extension of its compression. Throws DoesNotApply.
std::filesystem::path stored_file(const std::filesystem::path& set, const std::string& file);

// Files of a copy may share their content with those of another copy: before one is changed in
// place, it gets a content of its own.
void make_own(const std::filesystem::path& file);

// Cuts it off there, its own content only.
void truncate_file(const std::filesystem::path& file, std::uint64_t size);

// Turns bits of the byte at `at`, its own content only.
void flip_byte(const std::filesystem::path& file, std::uint64_t at, unsigned bits = 0x40);

// It and everything below belongs to the site's account again.
void give_to(const InjectionSite& site, const std::filesystem::path& directory);

}  // namespace pgrehearse
