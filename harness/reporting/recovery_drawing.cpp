#include "harness/reporting/recovery_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/common/text.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/time_axis.hpp"

namespace pgrehearse {

namespace {

constexpr double thinnest = 0.004;

Instant later(Instant instant, double seconds) {
  return instant + std::chrono::duration_cast<Instant::duration>(Seconds(seconds));
}

struct Extent {
  Instant begin;
  Instant end;
};

class Drawing {
 public:
  explicit Drawing(const DrawingInput& input) : input_(input) { learn_times(); }

  std::optional<RecoveryDrawing> draw() {
    const auto whole = everything();
    if (!whole || whole->begin == whole->end) return {};
    shown_ = zoomed(*whole);
    if (shown_.begin > whole->begin) {
      drawing_.outside = fmt::format("earlier backups and WAL, from {}, are not shown",
                                     time_in_words(whole->begin, input_.utc_offset));
    }
    for (const auto& backup : input_.backups) add(backup);
    for (const auto& branch : input_.branches) add(branch);
    add_recovery();
    if (input_.target) mark("target", *input_.target, "target");
    if (input_.drill) mark("drill", *input_.drill, "drill started");
    if (!input_.drill && input_.now) mark("now", *input_.now, "repository listed");
    add_ticks();
    std::ranges::stable_sort(drawing_.marks, {}, &RecoveryDrawing::Mark::x);
    drawing_.description = join(words_, "; ");
    return std::move(drawing_);
  }

 private:
  // Pairs of position and time from backups and ranges, so that one can be found from the other.
  void learn_times() {
    for (const auto& [lsn, time] : input_.known) axis_.know(lsn, time);
    for (const auto& backup : input_.backups) {
      if (backup.stop_lsn && backup.stop_time) axis_.know(*backup.stop_lsn, *backup.stop_time);
    }
    for (const auto& branch : input_.branches) {
      for (const auto& range : branch.ranges) {
        if (range.begin_time) axis_.know(range.begin, *range.begin_time);
        if (range.end_time) axis_.know(range.end, *range.end_time);
      }
    }
    if (input_.landing && input_.landing_lsn) axis_.know(*input_.landing_lsn, *input_.landing);
  }

  [[nodiscard]] std::optional<Instant> begin_of(const ArchiveRange& range) const {
    return range.begin_time ? range.begin_time : axis_.time_of(range.begin);
  }
  [[nodiscard]] std::optional<Instant> end_of(const ArchiveRange& range) const {
    return range.end_time ? range.end_time : axis_.time_of(range.end);
  }

  [[nodiscard]] std::optional<Extent> everything() const {
    std::vector<Instant> times;
    const auto add = [&](const std::optional<Instant>& time) {
      if (time) times.push_back(*time);
    };
    for (const auto& backup : input_.backups) {
      add(backup.start_time);
      add(backup.stop_time);
    }
    for (const auto& branch : input_.branches) {
      for (const auto& range : branch.ranges) {
        add(begin_of(range));
        add(end_of(range));
      }
    }
    for (const auto& time :
         {input_.target, input_.landing, input_.withheld, input_.drill, input_.now}) {
      add(time);
    }
    if (times.empty()) return {};
    const auto [first, last] = std::ranges::minmax(times);
    return Extent{first, last};
  }

  // What matters: the backup in use and what follows, or what is lost with the backup before it.
  [[nodiscard]] std::optional<Instant> first_that_matters() const {
    std::optional<Instant> first;
    const auto before = [&](Instant limit) {
      for (const auto& backup : input_.backups) {
        if (!backup.usable || !backup.start_time || *backup.start_time >= limit) continue;
        first = backup.start_time;
      }
    };
    for (const auto& backup : input_.backups) {
      if (!input_.chosen.empty() && backup.label == input_.chosen) first = backup.start_time;
    }
    if (!input_.chosen.empty()) return first;
    std::optional<Instant> loss;
    for (const auto& branch : input_.branches) {
      for (const auto& range : branch.ranges) {
        const auto begin = begin_of(range);
        if (range.kind != "recoverable" && begin && (!loss || *begin < *loss)) loss = begin;
      }
    }
    if (input_.target && (!loss || *input_.target < *loss)) loss = input_.target;
    if (loss) before(*loss);
    return first;
  }

  [[nodiscard]] Extent zoomed(const Extent& whole) const {
    const auto first = first_that_matters();
    if (!first || *first <= whole.begin) return whole;
    const double length = Seconds(whole.end - *first).count();
    // Not for a little: the drawing of the whole is easier to understand.
    if (length <= 0 || length * 2 > Seconds(whole.end - whole.begin).count()) return whole;
    return {std::max(whole.begin, later(*first, -length * 0.05)), whole.end};
  }

  [[nodiscard]] double x_of(Instant at) const {
    const double length = Seconds(shown_.end - shown_.begin).count();
    return std::clamp(Seconds(at - shown_.begin).count() / length, 0.0, 1.0);
  }
  [[nodiscard]] bool is_shown(Instant at) const { return at >= shown_.begin && at <= shown_.end; }

  [[nodiscard]] std::string when(Instant at) const { return time_in_words(at, input_.utc_offset); }

  void add(const ArchivedBackup& backup) {
    if (!backup.stop_time || !is_shown(*backup.stop_time)) return;
    const char letter = !backup.usable                  ? 'x'
                        : backup.type == "full"         ? 'F'
                        : backup.type == "differential" ? 'D'
                                                        : 'I';
    const bool chosen = backup.label == input_.chosen;
    drawing_.backups.push_back(
        {.x = x_of(*backup.stop_time),
         .letter = letter,
         .chosen = chosen,
         .tip = fmt::format("{} backup {}{}, ended {}{}", backup.type, backup.label,
                            backup.usable ? "" : " (unusable)", when(*backup.stop_time),
                            backup.stop_lsn ? " at " + to_text(*backup.stop_lsn) : "")});
    if (chosen || !backup.usable) words_.push_back(drawing_.backups.back().tip);
  }

  void bar(RecoveryDrawing::Row& row, std::string_view kind, Instant from, Instant to,
           std::string tip) {
    if (to < shown_.begin || from > shown_.end) return;
    const double begin = std::min(x_of(from), 1 - thinnest);
    words_.push_back(tip);
    row.bars.push_back({.kind = kind,
                        .begin = begin,
                        .end = std::max(x_of(to), begin + thinnest),
                        .tip = std::move(tip)});
  }

  void add(const DrawingBranch& branch) {
    RecoveryDrawing::Row row{.label = branch.label};
    for (const auto& range : branch.ranges) {
      const auto from = begin_of(range);
      const auto to = end_of(range);
      if (!from || !to) continue;
      const std::string_view kind = range.kind == "recoverable" ? "recoverable"
                                    : range.kind == "lost"      ? "lost"
                                                                : "missing";
      bar(row, kind, *from, std::max(*from, *to),
          fmt::format("{} from {} to {} ({} to {}){}", kind, when(*from), when(*to),
                      to_text(range.begin), to_text(range.end),
                      range.reason.empty() ? "" : ": " + range.reason));
    }
    drawing_.rows.push_back(std::move(row));
  }

  // What the drill itself did, below what the repository offered.
  void add_recovery() {
    if (!input_.landing) return;
    RecoveryDrawing::Row row{.label = "recovered"};
    const auto at = input_.landing_lsn ? fmt::format(" ({})", to_text(*input_.landing_lsn)) : "";
    for (const auto& backup : input_.backups) {
      if (backup.label != input_.chosen || !backup.start_time || !backup.stop_time) continue;
      bar(row, "backup", *backup.start_time, *backup.stop_time,
          fmt::format("backup {} from {} to {}", backup.label, when(*backup.start_time),
                      when(*backup.stop_time)));
      if (*backup.stop_time < *input_.landing) {
        bar(row, "replayed", *backup.stop_time, *input_.landing,
            fmt::format("WAL replayed up to {}{}", when(*input_.landing), at));
      }
    }
    if (input_.withheld) {
      bar(row, "withheld", *input_.landing, *input_.withheld,
          fmt::format("the next commit, of {}, was not replayed", when(*input_.withheld)));
    } else if (input_.lost_seconds.value_or(0) > 0) {
      bar(row, "lost", *input_.landing, later(*input_.landing, *input_.lost_seconds),
          fmt::format("after the newest recovered commit: {}",
                      duration_in_words(*input_.lost_seconds)));
    }
    drawing_.rows.push_back(std::move(row));
    mark("landing", *input_.landing, "recovered to" + std::string(at.empty() ? "" : at));
  }

  void mark(std::string_view kind, Instant at, std::string_view what) {
    auto text = fmt::format("{} {}", what, when(at));
    words_.push_back(text);
    if (is_shown(at)) drawing_.marks.push_back({.kind = kind, .x = x_of(at), .text = text});
  }

  void add_ticks() {
    const auto zone = to_text(Instant{}, input_.utc_offset);
    drawing_.zone = trim(zone.substr(19));
    for (const auto& tick :
         ticks_between(shown_.begin, shown_.end, input_.most_ticks, input_.utc_offset)) {
      const auto lsn = axis_.lsn_at(tick.at);
      drawing_.ticks.push_back(
          {.x = x_of(tick.at), .time = tick.text, .lsn = lsn ? to_text(*lsn) : ""});
    }
  }

  const DrawingInput& input_;
  TimeAxis axis_;
  Extent shown_;
  RecoveryDrawing drawing_;
  std::vector<std::string> words_;
};

}  // namespace

std::optional<RecoveryDrawing> draw_recovery(const DrawingInput& input) {
  return Drawing(input).draw();
}

DrawingInput drawing_input(const Report& report) {
  DrawingInput input{.drill = report.started, .utc_offset = utc_offset_of(report)};
  if (report.archive) {
    input.backups = report.archive->backups;
    if (!report.archive->ranges.empty()) {
      input.branches.push_back({.label = fmt::format("timeline {}", report.archive->timeline),
                                .ranges = report.archive->ranges});
    }
  }
  if (report.backup) {
    const auto& backup = *report.backup;
    input.chosen = backup.label;
    const bool listed = std::ranges::any_of(
        input.backups, [&](const auto& each) { return each.label == backup.label; });
    if (!listed) {
      input.backups.push_back({.label = backup.label,
                               .type = backup.type,
                               .start_time = backup.start_time,
                               .stop_time = backup.stop_time,
                               .stop_lsn = backup.stop_lsn});
    }
  }
  if (report.landing) {
    const auto& landing = *report.landing;
    input.target = landing.target_time;
    input.landing = landing.time;
    input.landing_lsn = landing.lsn;
    if (landing.first_withheld) input.withheld = landing.first_withheld->time;
    input.lost_seconds = report.rpo.measured;
  }
  return input;
}

}  // namespace pgrehearse
