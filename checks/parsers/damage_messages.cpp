#include "checks/parsers/damage_messages.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

using std::string_view_literals::operator""sv;

template <typename Fragments>
bool has_any(std::string_view message, const Fragments& fragments) {
  return std::any_of(fragments.begin(), fragments.end(), [&](std::string_view fragment) {
    return message.find(fragment) != std::string_view::npos;
  });
}

// A file of the cluster that should be there; one outside it is the sandbox's affair.
bool misses_data_file(std::string_view message) {
  constexpr std::array places{"file \"base/"sv,         "file \"global/"sv,
                              "file \"pg_tblspc/"sv,    "file \"pg_xact/"sv,
                              "file \"pg_multixact/"sv, "file \"pg_commit_ts/"sv,
                              "file \"pg_twophase/"sv};
  return message.find("No such file or directory") != std::string_view::npos &&
         has_any(message, places);
}

}  // namespace

bool tells_of_damage(std::string_view message) {
  constexpr std::array fragments{
      "invalid page in block"sv,
      "page verification failed"sv,
      "references to invalid pages"sv,
      "could not read block"sv,
      "could not read only"sv,
      "unexpected zero page"sv,
      "contains corrupted page"sv,
      "could not access status of transaction"sv,
      "missing chunk number"sv,
      "unexpected chunk"sv,
      "compressed pglz data is corrupt"sv,
      "compressed lz4 data is corrupt"sv,
      "invalid memory alloc request size"sv,
      "cache lookup failed for"sv,
      "invalid checkpoint record"sv,
      "could not locate a valid checkpoint record"sv,
      "is corrupted"sv,
  };
  return has_any(message, fragments) || misses_data_file(message);
}

bool tells_of_damaged_wal(std::string_view message) {
  constexpr std::array fragments{
      "incorrect resource manager data checksum"sv,
      "invalid resource manager ID"sv,
      "invalid block_id"sv,
      "invalid compressed image"sv,
      "out-of-order block_id"sv,
      "has wrong size"sv,  // archive file "..." has wrong size: 1 instead of 16777216
      "WAL file is from different database system"sv,
  };
  return has_any(message, fragments);
}

}  // namespace pgrehearse
