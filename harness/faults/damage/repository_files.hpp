// Finds and damages files of a repository copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/faults/damage/damage.hpp"

namespace pgrehearse {

// The content of a file; empty if it cannot be read.
std::string text_of(const std::filesystem::path& file);

// The regular files of the WAL archive, sorted by path.
std::vector<std::filesystem::path> archive_files(const InjectionSite& site);

// Whether it is an archived segment; pgBackRest adds a dash and a checksum to its name.
bool is_segment(const std::filesystem::path& file);

// The archived segments, sorted by name.
std::vector<std::filesystem::path> archived_segments(const InjectionSite& site);

// first, last, backup_start, middle (of what replay of the restored backup reads), switch (the last
// one of the old timeline), or a segment name. Throws DoesNotApply if there is none.
std::filesystem::path find_segment(const InjectionSite& site, const std::string& which);

// Segment name without checksum and extension.
std::string segment_name(const std::filesystem::path& file);

// "00000002": the newest timeline in the archive, as in file names.
std::string newest_timeline(const InjectionSite& site);

// A file of a stored data directory, with the extension of its compression. Throws DoesNotApply.
std::filesystem::path stored_file(const std::filesystem::path& data, const std::string& file);

// Files of a copy may be hard links shared with another copy. Replaces the link with a private file
// before it is changed in place.
void make_own(const std::filesystem::path& file);

// Truncates the file, after making it private.
void truncate_file(const std::filesystem::path& file, std::uint64_t size);

// Flips bits of the byte at `at`, after making the file private.
void flip_byte(const std::filesystem::path& file, std::uint64_t at, unsigned bits = 0x40);

// Gives it and everything below to the site's account.
void give_to(const InjectionSite& site, const std::filesystem::path& directory);

}  // namespace pgrehearse
