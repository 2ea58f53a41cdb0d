// What pg_checksums prints, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct BadBlock {
  std::string file;  // as printed: below the data directory that was named
  std::uint64_t block = 0;
  std::string calculated;  // hexadecimal
  std::string stored;
};

struct ChecksumsOutput {
  std::vector<BadBlock> bad_blocks;
  std::vector<std::string> errors;  // every other complaint, without the program's name
  std::optional<std::uint64_t> files;
  std::optional<std::uint64_t> blocks;
  std::optional<std::uint64_t> bad;  // as the tool counts them; absent when it gave up
  bool disabled = false;             // the cluster has no checksums
};

// Both streams of `pg_checksums --check`, also of its older name pg_verify_checksums.
ChecksumsOutput parse_checksums(std::string_view output, std::string_view error_output);

struct ChecksumsProgress {
  std::uint64_t done = 0;  // MB
  std::uint64_t total = 0;
};
// "12/35 MB (34%) computed"
std::optional<ChecksumsProgress> parse_checksums_progress(std::string_view line);

}  // namespace pgrehearse
