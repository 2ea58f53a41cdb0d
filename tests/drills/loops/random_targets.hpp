// Random recovery targets in and around what a map covers, and what the map shows for each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/drills/loops/damaged_archives.hpp"

namespace pgrehearse {

// The part of `pgrehearse map --format json` that the test needs.
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

// Throws if the JSON is not a map with one archive.
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

// Anywhere from before the oldest backup to after the newest commit; every fifth is at an edge of
// the map, on either side.
DrawnTarget draw_target(const WrittenArchive& written, const ReadMap& map, Dice& dice);

struct Prediction {
  // The backup to recover from according to the map; none if no backup reaches the target.
  std::optional<std::string> set;
  bool unknown = false;  // the map does not say
};
Prediction predict(const ReadMap& map, const DrawnTarget& target);

// The newest backups that end before the target. A drill with them must fail if the map correctly
// shows the target as unrecoverable.
std::vector<std::string> candidates(const ReadMap& map, const DrawnTarget& target);

}  // namespace pgrehearse
