#include <nlohmann/json.hpp>

#include "harness/report/finding_codes.hpp"
#include "harness/reporting/map/map_formats.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Instant>& instant) {
  return instant ? Json(to_iso8601(*instant)) : Json(nullptr);
}

Json json_of(const MapPoint& point) {
  return {{"lsn", to_text(point.lsn)},
          {"time", json_of(point.time)},
          {"not_before", json_of(point.not_before)},
          {"not_after", json_of(point.not_after)}};
}

Json json_of(const std::vector<WalRange>& ranges, std::uint64_t size) {
  auto json = Json::array();
  for (const auto& range : ranges) {
    json.push_back({{"timeline", range.timeline},
                    {"first", file_name(range.first_segment(), size)},
                    {"last", file_name(range.last_segment(), size)},
                    {"segments", range.count()}});
  }
  return json;
}

Json json_of(const MappedBackup& mapped) {
  const auto& backup = mapped.backup;
  return {{"label", backup.label},
          {"type", std::string(name_of(backup.type))},
          {"start", to_iso8601(backup.start_time)},
          {"stop", to_iso8601(backup.stop_time)},
          {"start_lsn", backup.start_lsn ? Json(to_text(*backup.start_lsn)) : Json(nullptr)},
          {"stop_lsn", backup.stop_lsn ? Json(to_text(*backup.stop_lsn)) : Json(nullptr)},
          {"start_segment", backup.start_segment},
          {"stop_segment", backup.stop_segment},
          {"latest_timeline", mapped.latest},
          {"usable", mapped.usable()},
          {"code", text_of(mapped.code)},
          {"problems", mapped.problems}};
}

Json json_of(const MapBranch& branch, std::uint64_t size) {
  Json json{{"timeline", branch.timeline},
            {"latest", branch.latest},
            {"archive_begin", to_text(branch.archive_begin)},
            {"archive_end", to_text(branch.archive_end)},
            {"switches", Json::array()},
            {"recoverable", Json::array()},
            {"lost", Json::array()},
            {"gaps", json_of(branch.gaps, size)},
            {"problems", Json::array()}};
  for (const auto& fork : branch.switches) {
    json["switches"].push_back({{"timeline", fork.timeline}, {"lsn", to_text(fork.switch_lsn)}});
  }
  for (const auto& window : branch.windows) {
    json["recoverable"].push_back(
        {{"begin", json_of(window.begin)},
         {"end", json_of(window.end)},
         {"last_segment", file_name(window.last, size)},
         {"last_record", window.last_record ? Json(to_text(*window.last_record)) : Json(nullptr)},
         {"backups", window.backups},
         {"note", window.note}});
  }
  for (const auto& loss : branch.losses) {
    json["lost"].push_back({{"begin", json_of(loss.begin)},
                            {"end", json_of(loss.end)},
                            {"ended_by_backup", loss.ended_by_backup},
                            {"reason", loss.reason},
                            {"gaps", json_of(loss.gaps, size)},
                            {"unusable_backups", loss.unusable_backups}});
  }
  for (const auto& problem : branch.problems) {
    json["problems"].push_back(
        {{"object", problem.object}, {"message", problem.message}, {"blocks", problem.blocks}});
  }
  return json;
}

Json json_of(const MapArchive& archive) {
  Json json{{"id", archive.id},
            {"repository", archive.repository_key},
            {"postgres_version", archive.postgres_version},
            {"system_identifier", std::to_string(archive.system_identifier)},
            {"segment_size", archive.segment_size},
            {"segments", archive.segments},
            {"bytes", archive.bytes.count},
            {"listed_at", to_iso8601(archive.listed_at)},
            {"continuous", archive.continuous()},
            {"verified", archive.verified},
            {"backups", Json::array()},
            {"timelines", Json::array()},
            {"unreachable", json_of(archive.unreachable, archive.segment_size)},
            {"unrecognized", archive.unrecognized}};
  for (const auto& mapped : archive.backups) json["backups"].push_back(json_of(mapped));
  for (const auto& branch : archive.branches) {
    json["timelines"].push_back(json_of(branch, archive.segment_size));
  }
  return json;
}

Json json_of(const ArchiveLag& lag) {
  return {{"primary_lsn", to_text(lag.primary_lsn)},
          {"timeline", lag.timeline},
          {"archive_end", to_text(lag.archive_end)},
          {"bytes", lag.bytes},
          {"seconds", lag.seconds ? Json(*lag.seconds) : Json(nullptr)},
          {"primary_commit", json_of(lag.primary_commit)},
          {"last_archived", lag.last_archived},
          {"last_archived_at", json_of(lag.last_archived_at)},
          {"last_failed", lag.last_failed},
          {"last_failed_at", json_of(lag.last_failed_at)},
          {"failing", lag.failing}};
}

std::string name_of(MapVerdict verdict) {
  return verdict == MapVerdict::continuous ? "continuous"
         : verdict == MapVerdict::damaged  ? "damaged"
                                           : "unknown";
}

}  // namespace

void write_map_json(const RecoveryMap& map, std::ostream& out) {
  const auto* oldest = oldest_window(map);
  const auto* newest = newest_window(map);
  Json json{{"schema", "pgrehearse.map/1"},
            {"stanza", map.stanza},
            {"scenario", map.scenario},
            {"tool", map.tool_version},
            {"created_at", to_iso8601(map.created_at)},
            {"verdict", name_of(verdict_of(map))},
            {"status", {{"code", map.status.code}, {"message", map.status.message}}},
            {"oldest", oldest == nullptr ? Json(nullptr) : json_of(oldest->begin)},
            {"newest", newest == nullptr ? Json(nullptr) : json_of(newest->end)},
            {"archives", Json::array()},
            {"lag", map.lag ? json_of(*map.lag) : Json(nullptr)},
            {"unknown", map.unknown}};
  for (const auto& archive : map.archives) json["archives"].push_back(json_of(archive));
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace pgrehearse
