// Reads from a pgBackRest manifest which backup stores each file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct ManifestFile {
  std::string name;  // "pg_data/base/5/16384"
  std::string
      backup;  // label of the earlier backup that stores it; empty: the manifest's own backup
  std::uint64_t size = 0;  // size of the file in the cluster
  bool bundled = false;    // bundled with other files
};

// `text`: decrypted. Lines that are not file entries are ignored.
std::vector<ManifestFile> read_manifest(std::string_view text);

}  // namespace pgrehearse
