// MetricSamples of a repository and of the primary's archiver, at one moment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/map/recovery_map.hpp"
#include "harness/primary/archiver_status.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/serve/metrics/sample.hpp"

namespace pgrehearse {

struct FileSystemSpace {
  std::uint64_t size = 0;
  std::uint64_t free = 0;  // for accounts without special rights
};
// nullopt if it cannot be determined.
std::optional<FileSystemSpace> space_of(const std::filesystem::path& path);

// The directory of the stanza's repository on this host; nullopt if it is remote, or there are
// several.
std::optional<std::filesystem::path> local_repository(const RepositoryAccess& access,
                                                      const std::string& stanza);

struct RepositoryObservation {
  const RecoveryMap& map;                  // the times of its edges read from WAL, where possible
  std::optional<ArchiverStatus> archiver;  // absent: the scenario has no primary, or no answer
  std::optional<FileSystemSpace> space;
};
MetricSamples repository_samples(const RepositoryObservation& observation);

}  // namespace pgrehearse
