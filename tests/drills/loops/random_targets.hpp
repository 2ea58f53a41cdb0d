// Random recovery targets in and around what a map covers, and what the map shows for each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/drills/loops/damaged_archives.hpp"

namespace pgrehearse {

// What a test needs of `pgrehearse map --format json`.
struct ReadSet {
  std::string label;
  Instant stop;
  Lsn stop_lsn;
  std::string latest;  // the timeline where `latest` leads from it
};

struct ReadStretch {
  std::optional<Instant> from;   // none: from the fork on
  std::optional<Instant> until;  // none: not known
  Lsn from_lsn;
  std::optional<Lsn> last_record;
  std::vector<std::string> sets;
};

struct ReadTimeline {
  std::string timeline;
  bool latest = false;
  std::vector<ReadStretch> stretches;
};

struct ReadMap {
  std::string text;  // all of it
  Lsn begin;
  Lsn end;
  std::vector<ReadSet> sets;  // oldest first, useless ones included
  std::vector<ReadTimeline> timelines;
};

// Throws where the JSON is not that of a map with one archive.
ReadMap read_map(const std::string& json);

struct DrawnTarget {
  std::string timeline;  // "latest", "1", "2"
  std::optional<Instant> time;
  std::optional<Lsn> lsn;
};
// "time 2026-... on timeline latest"
std::string to_text(const DrawnTarget& target);
// As YAML: "recover_to: ...".
std::string to_yaml(const DrawnTarget& target);

// Anywhere from before the oldest backup to after the newest commit; each fifth is at an edge of
// the map, on one side or the other.
DrawnTarget draw_target(const WrittenArchive& written, const ReadMap& map, Dice& dice);

struct Prediction {
  // The set to recover from, by the map; none: no set brings the target back.
  std::optional<std::string> set;
  bool unknown = false;  // the map does not say
};
Prediction predict(const ReadMap& map, const DrawnTarget& target);

// The newest sets that end before the target, which a drill must fail with if the map is right to
// say that nothing brings it back.
std::vector<std::string> candidates(const ReadMap& map, const DrawnTarget& target);

}  // namespace pgrehearse
