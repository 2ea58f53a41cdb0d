#include "harness/repository/barman/barman_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& what, const std::string& object) {
  throw Error(ErrorKind::repository, what,
              "run 'barman list-backups' and 'barman show-backup' and check their output",
              FindingCode::repo_info, object);
}

template <typename Number>
Number number_in(const std::string& text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// [('fast', 16384, '/srv/fast'), ...]: the representation of a list in Python.
std::map<std::string, std::string> parse_tablespaces(std::string_view text) {
  std::map<std::string, std::string> tablespaces;
  constexpr std::string_view opening = "('";
  for (auto at = text.find(opening); at != std::string_view::npos; at = text.find(opening, at)) {
    std::string name;
    for (at += opening.size(); at < text.size() && text[at] != '\''; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      name += text[at];
    }
    constexpr std::string_view separator = "', ";
    if (text.substr(std::min(at, text.size()), separator.size()) != separator) break;
    at += separator.size();
    const auto end = text.find_first_not_of("0123456789", at);
    if (end == std::string_view::npos || end == at) break;
    tablespaces[name] = text.substr(at, end - at);
    at = end;
  }
  return tablespaces;
}

}  // namespace

std::vector<BarmanListed> parse_barman_list(std::string_view json, const std::string& server) {
  std::vector<BarmanListed> listed;
  try {
    const auto document = Json::parse(json);
    for (const auto& each : document.at(server)) {
      listed.push_back({.id = each.at("backup_id").get<std::string>(),
                        .status = each.value("status", std::string())});
    }
  } catch (const Json::exception& failure) {
    refuse(fmt::format("cannot read the output of barman list-backups: {}",
                       std::string(failure.what()).substr(0, 200)),
           server);
  }
  return listed;
}

BarmanBackup parse_backup_info(std::string_view text, const std::string& id) {
  std::map<std::string, std::string> values;
  for (const auto line : lines_of(text)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    values[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
  const auto start = parse_lsn(values["begin_xlog"]);
  const auto stop = parse_lsn(values["end_xlog"]);
  const auto started = parse_instant(values["begin_time"]);
  const auto stopped = parse_instant(values["end_time"]);
  constexpr int version_of_major = 10000;
  const int major = number_in<int>(values["version"]) / version_of_major;
  if (!start || !stop || !stopped || major == 0) {
    refuse(fmt::format("backup.info of backup {} is incomplete", id), id);
  }
  return {.backup = {.label = id,
                     .postgres_major = major,
                     .postgres_version = std::to_string(major),
                     .system_identifier = number_in<std::uint64_t>(values["systemid"]),
                     .tool_version = "Barman",
                     .start_time = started.value_or(*stopped),
                     .stop_time = *stopped,
                     .start_lsn = start,
                     .stop_lsn = stop,
                     .start_segment = values["begin_wal"],
                     .stop_segment = values["end_wal"],
                     .size = {number_in<std::uint64_t>(values["size"])},
                     .repository_size = {number_in<std::uint64_t>(values["deduplicated_size"])}},
          .segment_size = number_in<std::uint64_t>(values["xlog_segment_size"]),
          .tablespaces = parse_tablespaces(values["tablespaces"])};
}

std::string barman_message(std::string_view error_output, std::string_view output) {
  for (const auto text : {error_output, output}) {
    for (const auto line : lines_of(text)) {
      for (const std::string_view level : {"ERROR: ", "CRITICAL: ", "EXCEPTION: "}) {
        if (line.starts_with(level)) return std::string(line.substr(level.size(), 500));
      }
    }
  }
  const auto rest = trim(error_output.empty() ? output : error_output);
  return std::string(rest.substr(0, 500));
}

}  // namespace pgrehearse
