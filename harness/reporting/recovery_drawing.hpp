// The picture of what can be recovered: backups, WAL, gaps, the recovery target, where recovery
// stopped, and what is lost, on a time axis with LSNs below it. The same drawing is rendered as
// text, as SVG and in the HTML report.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/report.hpp"

namespace pgrehearse {

// Positions are shares of the width, 0 to 1.
struct RecoveryDrawing {
  struct Backup {
    double x = 0;
    char letter = 'F';  // F, D, I, or x: unusable
    bool chosen = false;
    std::string tip;
  };
  struct Bar {
    std::string_view kind;  // backup, recoverable, replayed, withheld, lost or missing
    double begin = 0;
    double end = 0;
    std::string tip;
  };
  struct Row {
    std::string label;
    std::vector<Bar> bars;
  };
  struct Mark {
    std::string_view kind;  // target, landing, drill or now
    double x = 0;
    std::string text;
  };
  struct Tick {
    double x = 0;
    std::string time;
    std::string lsn;  // about; empty: not known
  };
  std::vector<Backup> backups;
  std::vector<Row> rows;
  std::vector<Mark> marks;  // by time
  std::vector<Tick> ticks;
  std::string zone;         // "UTC" or "+01:00"
  std::string outside;      // what is left of the drawing; empty: nothing
  std::string description;  // the same in words
};

struct DrawingBranch {
  std::string label;
  std::vector<ArchiveRange> ranges;
};

struct DrawingInput {
  std::vector<ArchivedBackup> backups;
  std::vector<DrawingBranch> branches;
  std::string chosen;                          // label of the backup that is restored; may be empty
  std::vector<std::pair<Lsn, Instant>> known;  // further positions with their times
  std::optional<Instant> target;
  std::optional<Instant> landing;
  std::optional<Lsn> landing_lsn;
  std::optional<Instant> withheld;  // the first commit after the landing that was not replayed
  std::optional<double> lost_seconds;
  std::optional<Instant> drill;  // when the drill started
  std::optional<Instant> now;    // when the repository was listed
  std::chrono::minutes utc_offset{0};
  std::size_t most_ticks = 6;
};

// nullopt when there are no two times to draw between.
std::optional<RecoveryDrawing> draw_recovery(const DrawingInput& input);

// Of one drill.
DrawingInput drawing_input(const Report& report);

}  // namespace pgrehearse
