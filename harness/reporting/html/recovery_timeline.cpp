#include "harness/reporting/html/recovery_timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/reporting/phrases.hpp"

namespace pgrehearse {

namespace {

constexpr double left = 10;
constexpr double right = 990;
constexpr double thinnest = 4;
constexpr int intervals = 4;

Instant later(Instant instant, double seconds) {
  return instant + std::chrono::duration_cast<Instant::duration>(Seconds(seconds));
}

class Drawing {
 public:
  Drawing(Instant begin, Instant end) : begin_(begin), seconds_(Seconds(end - begin).count()) {}

  void bar(std::string_view kind, Instant from, Instant to, std::string tip) {
    const double x = std::min(x_of(from), right - thinnest);
    words_.push_back(tip);
    timeline_.bars.push_back(
        {.kind = kind, .x = x, .width = std::max(x_of(to) - x, thinnest), .tip = std::move(tip)});
  }

  void mark(std::string_view kind, Instant at, std::string text) {
    timeline_.marks.push_back({.kind = kind, .x = x_of(at), .text = std::move(text)});
  }

  RecoveryTimeline finish() {
    const bool days = seconds_ > 86400;
    for (int i = 0; i <= intervals; ++i) {
      const auto at = later(begin_, seconds_ * i / intervals);
      const auto text = time_in_words(at);  // 2026-11-20 03:00:00 UTC
      timeline_.ticks.push_back({.x = x_of(at), .text = days || i == 0 ? text : text.substr(11)});
    }
    std::ranges::stable_sort(timeline_.marks, {}, &RecoveryTimeline::Mark::x);
    timeline_.description = join(words_, "; ");
    return std::move(timeline_);
  }

 private:
  [[nodiscard]] double x_of(Instant at) const {
    const double share = Seconds(at - begin_).count() / seconds_;
    return left + std::clamp(share, 0.0, 1.0) * (right - left);
  }

  Instant begin_;
  double seconds_;
  RecoveryTimeline timeline_;
  std::vector<std::string> words_;
};

std::string at_lsn(const std::optional<Lsn>& lsn) {
  return lsn ? fmt::format(" ({})", to_text(*lsn)) : std::string{};
}

void draw_backup(const BackupRecord& backup, Drawing& drawing) {
  if (!backup.start_time || !backup.stop_time) return;
  drawing.bar("backup", *backup.start_time, *backup.stop_time,
              fmt::format("backup {} from {} to {}", backup.label,
                          time_in_words(*backup.start_time), time_in_words(*backup.stop_time)));
  drawing.mark(
      "", *backup.stop_time,
      fmt::format("backup ended {}{}", time_in_words(*backup.stop_time), at_lsn(backup.stop_lsn)));
}

void draw_landing(const Report& report, Drawing& drawing) {
  if (!report.landing || !report.landing->time) return;
  const auto& landing = *report.landing;
  const auto time = time_in_words(*landing.time);
  if (report.backup && report.backup->stop_time && *report.backup->stop_time < *landing.time) {
    drawing.bar("replayed", *report.backup->stop_time, *landing.time,
                fmt::format("WAL replayed up to {}{}", time, at_lsn(landing.lsn)));
  }
  drawing.mark("landing", *landing.time,
               fmt::format("recovered up to {}{}", time, at_lsn(landing.lsn)));
  if (landing.first_withheld && landing.first_withheld->time) {
    drawing.bar(
        "withheld", *landing.time, *landing.first_withheld->time,
        fmt::format("first transaction that was not replayed: {} at {}",
                    landing.first_withheld->xid, time_in_words(*landing.first_withheld->time)));
  } else if (report.rpo.measured.value_or(0) > 0) {
    drawing.bar("lost", *landing.time, later(*landing.time, *report.rpo.measured),
                fmt::format("after the newest recovered commit (RPO {})",
                            duration_in_words(*report.rpo.measured)));
  }
}

}  // namespace

std::optional<RecoveryTimeline> recovery_timeline(const Report& report) {
  std::vector<Instant> times{report.started};
  const auto add = [&](const std::optional<Instant>& time) {
    if (time) times.push_back(*time);
  };
  if (report.backup) {
    add(report.backup->start_time);
    add(report.backup->stop_time);
  }
  if (report.landing) {
    add(report.landing->time);
    if (report.landing->first_withheld) add(report.landing->first_withheld->time);
  }
  const auto [first, last] = std::ranges::minmax(times);
  if (first == last) return std::nullopt;
  Drawing drawing(first, last);
  if (report.backup) draw_backup(*report.backup, drawing);
  draw_landing(report, drawing);
  drawing.mark("", report.started, "drill started " + time_in_words(report.started));
  return drawing.finish();
}

}  // namespace pgrehearse
