// A WAL archive in a directory, as `archive_command = 'cp %p DIRECTORY/%f'` makes it: segments
// under their own names, in the directory or in subdirectories, perhaps compressed.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// The files of an archive, before the segment size is known.
struct ArchiveFiles {
  struct File {
    std::filesystem::path path;
    Bytes size;
  };
  std::map<std::string, File> segments;  // by name without the extension of its compression
  std::map<std::string, File> histories;
  std::map<std::string, File> backups;  // backup history files
  std::vector<std::string> unrecognized;
};
// Reads as this process: see ActingAccount. Throws Error(environment) when the directory cannot be
// read.
ArchiveFiles list_archive_directory(const std::filesystem::path& directory);

// `histories` of the listing are left empty.
ArchiveListing listing_of(const ArchiveFiles& files, std::uint64_t segment_size);

// The extension of a compressed file: "", ".gz", ".lz4", ".zst", ".bz2" or ".xz".
std::string compression_of(const std::filesystem::path& file);
// The command that decompresses a file with this extension to standard output; "cat" for none.
std::vector<std::string> decompression(const std::string& extension);

// The timeline histories of an archive, decompressed by their first bytes: not every tool gives a
// compressed file an extension. Reads as `account`. Throws Error(repository) naming the file.
std::map<Timeline, std::vector<TimelineSwitch>> read_histories(const ArchiveFiles& files,
                                                               CommandRunner& runner,
                                                               const Account& account,
                                                               const std::stop_token& stop);
// ".gz" for the first bytes of a file that gzip compressed; empty for other files.
std::string compression_by_content(std::string_view first_bytes);

// Argument vector that fetches one WAL file from `archive`, for BackupRepository::archive_get().
// `restore_command`: PostgreSQL's, with %f and %p; empty: the file is copied and decompressed. A
// file that restore_command does not return although the archive has it is an error. `incoming`: a
// directory of files that are not in the archive yet; empty: none.
std::vector<std::string> fetch_from_directory(const std::filesystem::path& archive,
                                              const std::string& restore_command,
                                              const std::filesystem::path& incoming = {});

}  // namespace pgrehearse
