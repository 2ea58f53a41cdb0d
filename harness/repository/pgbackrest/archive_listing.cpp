#include "harness/repository/pgbackrest/archive_listing.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/common/error.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

constexpr std::size_t segment_length = 24;
constexpr std::size_t directory_length = 16;
constexpr std::size_t checksum_length = 40;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
  });
}

bool is_compression(std::string_view suffix) {
  constexpr std::string_view known[] = {"", ".gz", ".lz4", ".zst", ".bz2"};
  return std::ranges::find(known, suffix) != std::end(known);
}

// "-<checksum>[.lz4]" after a segment's name.
bool is_checksum_suffix(std::string_view rest) {
  return rest.size() > checksum_length && rest.front() == '-' &&
         is_hex(rest.substr(1, checksum_length)) &&
         is_compression(rest.substr(1 + checksum_length));
}

// ".partial[-<checksum>.lz4]" (left by a promotion), ".00000028.backup".
bool is_companion(std::string_view rest) {
  constexpr std::string_view partial = ".partial";
  constexpr std::string_view backup = ".backup";
  if (rest.starts_with(partial)) {
    rest.remove_prefix(partial.size());
    return is_checksum_suffix(rest) || is_compression(rest);
  }
  return rest.size() == 9 + backup.size() && rest.front() == '.' && is_hex(rest.substr(1, 8)) &&
         rest.ends_with(backup);
}

bool is_history(std::string_view name) {
  return name.size() == 16 && is_hex(name.substr(0, 8)) && name.substr(8) == ".history";
}

void classify(std::string_view path, std::uint64_t bytes, ParsedArchive& into) {
  // An upload in progress on a file system (storage/posix/write.c).
  if (path.ends_with(".pgbackrest.tmp")) return;
  const auto slash = path.rfind('/');
  const auto name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const auto directory = slash == std::string_view::npos ? "" : path.substr(0, slash);
  if (directory.empty() && is_history(name)) {
    into.history_files.emplace_back(name);
    return;
  }
  auto& listing = into.listing;
  const auto segment = parse_wal_segment(name.substr(0, segment_length), listing.segment_size);
  const bool in_place = segment && directory == name.substr(0, directory_length);
  const auto rest = in_place ? name.substr(segment_length) : std::string_view();
  if (in_place && is_checksum_suffix(rest)) {
    listing.segments.push_back({.segment = *segment, .file = std::string(name), .size = {bytes}});
  } else if (!in_place || !is_companion(rest)) {
    listing.unrecognized.emplace_back(path);
  }
}

std::uint64_t size_of(const Json& file) {
  const auto size = file.find("size");
  if (size == file.end()) return 0;
  if (!size->is_number_unsigned()) throw Error(ErrorKind::repository, "a size is not an integer");
  return size->get<std::uint64_t>();
}

}  // namespace

ParsedArchive parse_archive_listing(std::string_view json, const std::string& id,
                                    std::uint64_t segment_size) {
  ParsedArchive parsed{.listing = {.id = id, .segment_size = segment_size}};
  std::string path;
  // Each file is classified and dropped as it is read: an archive may have a hundred thousand.
  const auto keep = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key) path = value.get<std::string>();
    if (depth != 1 || event != Json::parse_event_t::object_end) return true;
    if (value.value("type", "") == "file") classify(path, size_of(value), parsed);
    return false;
  };
  try {
    if (!Json::parse(replace_unreadable(json), keep).is_object())
      throw Error(ErrorKind::repository, "not an object");
  } catch (const std::exception& failure) {
    throw Error(ErrorKind::repository,
                "cannot read the listing of archive " + id + ": " + excerpt(failure.what()),
                "run 'pgbackrest repo-ls --recurse --output=json' on it and check the output",
                FindingCode::repo_listing, id);
  }
  const auto order = [](const ArchivedSegment& file) { return std::tie(file.segment, file.file); };
  std::ranges::sort(parsed.listing.segments, {}, order);
  std::ranges::sort(parsed.history_files);
  std::ranges::sort(parsed.listing.unrecognized);
  return parsed;
}

}  // namespace pgrehearse
