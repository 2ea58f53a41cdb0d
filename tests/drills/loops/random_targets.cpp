#include "tests/drills/loops/random_targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace pgrehearse {

namespace {

using Json = nlohmann::json;
using Microseconds = std::chrono::microseconds;

std::optional<Instant> instant_of(const Json& json) {
  if (json.is_null()) return {};
  return parse_instant(json.get<std::string>());
}

Lsn lsn_of(const Json& json) { return parse_lsn(json.get<std::string>()).value(); }

ReadTimeline timeline_of(const Json& json) {
  ReadTimeline timeline{.timeline = std::to_string(json.at("timeline").get<int>()),
                        .latest = json.at("latest").get<bool>()};
  for (const auto& each : json.at("recoverable")) {
    ReadStretch stretch{.from = instant_of(each.at("begin").at("time")),
                        .until = instant_of(each.at("end").at("time")),
                        .from_lsn = lsn_of(each.at("begin").at("lsn")),
                        .sets = each.at("backups").get<std::vector<std::string>>()};
    if (!each.at("last_record").is_null()) stretch.last_record = lsn_of(each.at("last_record"));
    timeline.stretches.push_back(std::move(stretch));
  }
  return timeline;
}

// pgBackRest's rule: times are compared in whole seconds and must be earlier; positions may be
// equal.
bool ends_before(const ReadSet& set, const DrawnTarget& target) {
  if (target.lsn) return set.stop_lsn <= *target.lsn;
  return std::chrono::floor<std::chrono::seconds>(set.stop) <
         std::chrono::floor<std::chrono::seconds>(*target.time);
}

std::uint64_t any(std::uint64_t from, std::uint64_t to, Dice& dice) {
  return std::uniform_int_distribution<std::uint64_t>(from, std::max(from, to))(dice);
}

Instant any(Instant from, Instant to, Dice& dice) {
  const auto span = std::chrono::duration_cast<Microseconds>(to - from).count();
  return from +
         Microseconds(any(0, static_cast<std::uint64_t>(std::max<std::int64_t>(span, 1)), dice));
}

// Just before, just after, or exactly at the edge.
DrawnTarget at_edge(const ReadMap& map, DrawnTarget target, Dice& dice) {
  std::vector<const ReadStretch*> stretches;
  for (const auto& timeline : map.timelines) {
    if (!timeline.latest) continue;
    for (const auto& stretch : timeline.stretches) stretches.push_back(&stretch);
  }
  if (stretches.empty()) return target;
  target.timeline = "latest";
  const auto& stretch = *stretches.at(any(0, stretches.size() - 1, dice));
  const auto side = static_cast<int>(any(0, 2, dice)) - 1;
  const bool begin = any(0, 1, dice) == 0;
  if (target.time && begin && stretch.from) {
    target.time = *stretch.from + std::chrono::milliseconds(600) * side;
  } else if (target.time && stretch.until) {
    target.time = *stretch.until + Microseconds(side);
  } else if (target.lsn && (begin || !stretch.last_record)) {
    target.lsn = Lsn{stretch.from_lsn.value + static_cast<std::uint64_t>(side + 1) - 1};
  } else if (target.lsn) {
    target.lsn = Lsn{stretch.last_record->value + static_cast<std::uint64_t>(side + 1) - 1};
  }
  return target;
}

// Of those that lead to `timeline`.
const ReadSet* newest_fit(const ReadMap& map, const std::vector<std::string>& labels,
                          const DrawnTarget& target, const std::string& timeline) {
  const ReadSet* newest = nullptr;
  for (const auto& set : map.sets) {
    const bool in_it = std::ranges::find(labels, set.label) != labels.end();
    const bool meant = target.timeline != "latest" || set.latest == timeline;
    if (in_it && meant && ends_before(set, target)) newest = &set;
  }
  return newest;
}

}  // namespace

ReadMap read_map(const std::string& text) {
  const auto json = Json::parse(text);
  const auto& archive = json.at("archives").at(0);
  ReadMap map{.text = text, .begin = Lsn{~std::uint64_t{0}}};
  for (const auto& set : archive.at("backups")) {
    map.sets.push_back({.label = set.at("label"),
                        .stop = instant_of(set.at("stop")).value(),
                        .stop_lsn = lsn_of(set.at("stop_lsn")),
                        .latest = std::to_string(set.at("latest_timeline").get<int>())});
  }
  for (const auto& timeline : archive.at("timelines")) {
    map.timelines.push_back(timeline_of(timeline));
    map.begin = std::min(map.begin, lsn_of(timeline.at("archive_begin")));
    map.end = std::max(map.end, lsn_of(timeline.at("archive_end")));
  }
  return map;
}

std::string to_text(const DrawnTarget& target) {
  return fmt::format(
      "{} on timeline {}",
      target.time ? "time " + to_postgres_timestamp(*target.time) : "lsn " + to_text(*target.lsn),
      target.timeline);
}

std::string to_yaml(const DrawnTarget& target) {
  const auto place = target.time ? fmt::format("time: \"{}\"", to_postgres_timestamp(*target.time))
                                 : fmt::format("lsn: \"{}\"", to_text(*target.lsn));
  return fmt::format("recover_to: {{ {}, timeline: {} }}\n", place, target.timeline);
}

DrawnTarget draw_target(const WrittenArchive& written, const ReadMap& map, Dice& dice) {
  const auto timeline = any(0, 9, dice);
  DrawnTarget target{.timeline = timeline < 6 ? "latest" : timeline < 8 ? "1" : "2"};
  const std::chrono::seconds around(2);
  if (any(0, 9, dice) < 6) {
    // WAL before the branch point is the same on both timelines: use `latest`.
    const auto from = target.timeline == "1" ? written.forked : written.began - around;
    target.time = any(from, written.ended + around, dice);
  } else {
    if (target.timeline == "1") target.timeline = "latest";
    constexpr std::uint64_t megabyte = std::uint64_t{1} << 20U;
    target.lsn = Lsn{any(map.begin.value - megabyte, map.end.value + megabyte, dice)};
  }
  return any(0, 4, dice) == 0 ? at_edge(map, target, dice) : target;
}

Prediction predict(const ReadMap& map, const DrawnTarget& target) {
  for (const auto& timeline : map.timelines) {
    if (target.timeline != "latest" && timeline.timeline != target.timeline) continue;
    for (const auto& stretch : timeline.stretches) {
      if (target.time && stretch.from && *target.time < *stretch.from) continue;
      if (target.lsn && *target.lsn < stretch.from_lsn) continue;
      const auto* set = newest_fit(map, stretch.sets, target, timeline.timeline);
      if (set == nullptr) continue;
      const bool known = target.time ? stretch.until.has_value() : stretch.last_record.has_value();
      if (!known) return {.unknown = true};
      const bool inside =
          target.time ? *target.time < *stretch.until : *target.lsn <= *stretch.last_record;
      if (inside) return {.set = set->label};
    }
  }
  return {};
}

std::vector<std::string> candidates(const ReadMap& map, const DrawnTarget& target) {
  constexpr std::size_t most = 3;
  std::vector<std::string> labels;
  for (auto set = map.sets.rbegin(); set != map.sets.rend() && labels.size() < most; ++set) {
    if (ends_before(*set, target)) labels.push_back(set->label);
  }
  return labels;
}

}  // namespace pgrehearse
