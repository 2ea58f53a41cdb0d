#include "harness/repository/basebackup/backup_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const char* file, std::string_view why) {
  throw Error(ErrorKind::repository, fmt::format("{} is damaged: {}", file, why),
              "take a new backup", FindingCode::repo_damaged, file);
}

// Accepts every name of a segment.
constexpr std::uint64_t smallest_segment = std::uint64_t{1} << 20U;

// "0/2000028 (file 000000010000000000000002)"
struct WalLocation {
  std::optional<Lsn> lsn;
  std::string segment;
};
WalLocation parse_location(std::string_view value) {
  const auto blank = value.find(' ');
  WalLocation location{.lsn = parse_lsn(value.substr(0, blank)), .segment = {}};
  constexpr std::string_view opening = "(file ";
  const auto file = value.find(opening);
  constexpr std::size_t length = 24;
  if (file != std::string_view::npos) {
    location.segment = value.substr(file + opening.size(), length);
  }
  return location;
}

template <typename Use>
void for_each_line(std::string_view text, const Use& use) {
  for (const auto line : lines_of(text)) {
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos) use(line.substr(0, colon), trim(line.substr(colon + 2)));
  }
}

}  // namespace

BackupLabel parse_backup_label(std::string_view text) {
  BackupLabel label;
  bool found = false;
  for_each_line(text, [&](std::string_view name, std::string_view value) {
    if (name == "START WAL LOCATION") {
      const auto location = parse_location(value);
      if (!location.lsn || !parse_wal_segment(location.segment, smallest_segment)) return;
      found = true;
      label.start_lsn = *location.lsn;
      label.start_segment = location.segment;
    } else if (name == "START TIMELINE") {
      std::from_chars(value.data(), value.data() + value.size(), label.timeline);
    } else if (name == "LABEL") {
      label.label = value;
    } else if (name == "START TIME") {
      label.start_time = value;
    } else if (name == "BACKUP FROM") {
      label.from_standby = value == "standby";
    } else if (name == "INCREMENTAL FROM LSN") {
      label.incremental = true;
    }
  });
  if (!found) refuse("backup_label", "it has no START WAL LOCATION");
  if (label.timeline == 0) {
    const auto segment = parse_wal_segment(label.start_segment, smallest_segment);
    label.timeline = segment->timeline;
  }
  return label;
}

BackupManifest parse_backup_manifest(std::string_view json) {
  BackupManifest manifest;
  try {
    const auto document = Json::parse(json);
    manifest.system_identifier = document.value("System-Identifier", std::uint64_t{0});
    for (const auto& file : document.at("Files")) {
      manifest.size.count += file.at("Size").get<std::uint64_t>();
      ++manifest.files;
    }
    for (const auto& range : document.value("WAL-Ranges", Json::array())) {
      const auto end = parse_lsn(range.at("End-LSN").get<std::string>());
      if (end && (!manifest.end_lsn || *manifest.end_lsn < *end)) manifest.end_lsn = end;
    }
  } catch (const Json::exception&) {
    refuse("backup_manifest", "it is not a manifest in JSON");
  }
  return manifest;
}

std::optional<Instant> parse_label_time(std::string_view text) {
  std::string zoned(trim(text));
  for (const std::string_view utc : {" UTC", " GMT", " Etc/UTC"}) {
    if (zoned.ends_with(utc)) zoned.replace(zoned.size() - utc.size(), utc.size(), "+00");
  }
  // " +0200"
  const auto blank = zoned.rfind(' ');
  if (blank != std::string::npos && blank + 1 < zoned.size() &&
      (zoned[blank + 1] == '+' || zoned[blank + 1] == '-')) {
    zoned.erase(blank, 1);
  }
  return parse_instant(zoned);
}

BackupHistory parse_backup_history(std::string_view text) {
  BackupHistory history;
  for_each_line(text, [&](std::string_view name, std::string_view value) {
    if (name == "STOP WAL LOCATION") {
      const auto location = parse_location(value);
      history.stop_lsn = location.lsn;
      history.stop_segment = location.segment;
    } else if (name == "STOP TIME") {
      history.stop_time = parse_label_time(value);
    }
  });
  return history;
}

std::vector<std::string> parse_verifybackup(std::string_view error_output) {
  std::vector<std::string> problems;
  for (const auto line : lines_of(error_output)) {
    for (const std::string_view level : {"error: ", "fatal: "}) {
      const auto at = line.find(level);
      if (at == std::string_view::npos) continue;
      problems.emplace_back(line.substr(at + level.size()));
      break;
    }
  }
  return problems;
}

std::string file_in(std::string_view problem) {
  const auto opening = problem.find('"');
  if (opening == std::string_view::npos) return {};
  const auto closing = problem.find('"', opening + 1);
  if (closing == std::string_view::npos) return {};
  return std::string(problem.substr(opening + 1, closing - opening - 1));
}

}  // namespace pgrehearse
