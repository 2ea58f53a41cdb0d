// Which set stores each file of a backup, by pgBackRest's manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct ManifestFile {
  std::string name;        // "pg_data/base/5/16384"
  std::string set;         // label of an earlier set that stores it; empty: the manifest's own
  std::uint64_t size = 0;  // of the file in the cluster
  bool bundled = false;    // stored together with others
};

// `text`: decrypted. Lines that are no entry of a file are passed over.
std::vector<ManifestFile> read_manifest(std::string_view text);

}  // namespace pgrehearse
