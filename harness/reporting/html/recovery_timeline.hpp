// The picture of a recovery: what the backup and the WAL covered, where recovery stopped, and what
// was lost or not replayed, over time. Positions are in units of a drawing 1000 wide.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/report.hpp"

namespace pgrehearse {

struct RecoveryTimeline {
  struct Bar {
    std::string_view kind;  // backup, replayed, lost or withheld
    double x = 0;
    double width = 0;
    std::string tip;
  };
  struct Mark {
    std::string_view kind;  // landing, or empty
    double x = 0;
    std::string text;
  };
  struct Tick {
    double x = 0;
    std::string text;
  };
  std::vector<Bar> bars;
  std::vector<Mark> marks;  // by time
  std::vector<Tick> ticks;
  std::string description;  // the same in words
};

// nullopt when the record has no two times to draw between.
std::optional<RecoveryTimeline> recovery_timeline(const Report& report);

}  // namespace pgrehearse
