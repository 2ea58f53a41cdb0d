#include <fmt/format.h>

#include <algorithm>

#include "harness/map/map_branches.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr int page_width = 1000;
constexpr int bar_left = 130;
constexpr int bar_width = 840;
constexpr int bar_height = 22;
constexpr int row_height = 34;
constexpr std::size_t most_losses = 12;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

constexpr std::string_view style = R"(<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-size: 18px; font-weight: 600; }
  .small { font-size: 11px; fill: #52606d; }
  .outside { fill: #e4e7eb; }
  .recoverable { fill: #2f855a; }
  .lost { fill: #f0b429; }
  .missing { fill: #c53030; }
  .backup { stroke: #1f2933; stroke-width: 1.5; }
  .unusable { stroke: #c53030; stroke-width: 2; }
</style>
)";

class MapSvg {
 public:
  explicit MapSvg(const RecoveryMap& map) : map_(map) {}

  std::string render() {
    text(20, 34, "title", fmt::format("Recovery map of stanza {}", map_.stanza));
    text(20, 54, "small",
         fmt::format("{}, created {}", map_.tool_version, time_in_words(map_.created_at)));
    down_ = 84;
    if (map_.archives.empty()) {
      text(20, down_, "", "no backup: nothing can be recovered");
      down_ += row_height;
    }
    for (const auto& archive : map_.archives) draw(archive);
    draw_window();
    draw_legend();
    return fmt::format(
               R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">
<title>Recovery map of stanza {2}</title>
)",
               page_width, down_ + 10, escaped(map_.stanza)) +
           std::string(style) +
           fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n", page_width,
                       down_ + 10) +
           body_ + "</svg>\n";
  }

 private:
  void text(int x, int y, std::string_view kind, std::string_view words,
            std::string_view anchor = "start") {
    body_ += fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n", x,
                         y, kind, anchor, escaped(words));
  }

  // Never thinner than can be seen.
  void bar(const MapSpan& span, Lsn begin, Lsn end, std::string_view kind, const std::string& tip) {
    const double left = x_of(span, std::max(begin, span.begin));
    const double width = std::max(2.0, x_of(span, std::min(end, span.end)) - left);
    body_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" class=\"{}\"><title>{}</title>"
        "</rect>\n",
        std::min(left, bar_left + bar_width - 2.0), down_, width, bar_height, kind, escaped(tip));
  }

  static double x_of(const MapSpan& span, Lsn lsn) {
    return bar_left + share_of(span, lsn) * bar_width;
  }

  void draw(const MapArchive& archive) {
    text(20, down_, "", in_words(archive));
    down_ += 30;
    const auto span = span_of(archive);
    draw_backups(archive, span);
    for (const auto& branch : archive.branches) draw(archive, branch, span);
    text(bar_left, down_, "small", to_text(span.begin));
    text(bar_left + bar_width, down_, "small", to_text(span.end), "end");
    down_ += 26;
    for (const auto& branch : archive.branches) list_losses(branch);
    for (const auto& mapped : archive.backups) {
      if (mapped.usable()) continue;
      text(20, down_, "",
           fmt::format("backup {} is unusable: {}", mapped.backup.label, mapped.problems.front()));
      down_ += 20;
    }
    down_ += 14;
  }

  void draw_backups(const MapArchive& archive, const MapSpan& span) {
    text(20, down_, "", "backups");
    double labelled = 0;
    for (const auto& mapped : archive.backups) {
      const double x = x_of(span, end_lsn_of(mapped.backup, archive.segment_size));
      body_ += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" class=\"{3}\"><title>{4}"
          "</title></line>\n",
          x, down_ - 4, down_ + 12, mapped.usable() ? "backup" : "unusable",
          escaped(fmt::format("{}, ended {}", mapped.backup.label,
                              time_in_words(mapped.backup.stop_time))));
      if (x < labelled + 12) continue;
      labelled = x;
      text(static_cast<int>(x), down_ - 8, "small", std::string(1, letter_of(mapped)), "middle");
    }
    down_ += 16;
  }

  void draw(const MapArchive& archive, const MapBranch& branch, const MapSpan& span) {
    text(20, down_ + 16, "", fmt::format("timeline {}", branch.timeline));
    bar(span, branch.archive_begin, branch.archive_end, "outside",
        "before the end of the first backup");
    for (const auto& window : branch.windows) {
      bar(span, window.begin.lsn, window.end.lsn, "recoverable", in_words(window));
    }
    for (const auto& loss : branch.losses) {
      bar(span, loss.begin.lsn, loss.end.lsn, "lost", loss.reason);
    }
    for (const auto& gap : branch.gaps) {
      bar(span, start_of(gap.first_segment(), archive.segment_size),
          Lsn{(gap.last + 1) * archive.segment_size}, "missing",
          "missing: " + in_words(gap, archive.segment_size));
    }
    down_ += row_height;
  }

  void list_losses(const MapBranch& branch) {
    std::size_t listed = 0;
    for (const auto& loss : branch.losses) {
      if (listed++ == most_losses) {
        text(20, down_, "small", fmt::format("and {} more", branch.losses.size() - most_losses));
        down_ += 20;
        return;
      }
      text(20, down_, "",
           fmt::format("lost on timeline {}: {} to {}", branch.timeline, when(loss.begin),
                       when(loss.end)));
      text(20, down_ + 16, "small", loss.reason);
      down_ += 38;
    }
  }

  void draw_window() {
    const auto* oldest = oldest_window(map_);
    const auto* newest = newest_window(map_);
    if (oldest != nullptr) {
      text(20, down_, "", fmt::format("oldest recoverable time: {}", when(oldest->begin)));
      text(20, down_ + 20, "",
           fmt::format("newest: {}{}", newest->end.time ? "just before " : "", when(newest->end)));
      down_ += 46;
    }
    if (map_.lag) {
      text(20, down_, "",
           fmt::format("the archive lags the primary by {} of WAL",
                       to_text(Bytes{map_.lag->bytes})));
      down_ += 26;
    }
    for (const auto& clause : map_.unknown) {
      text(20, down_, "", "unknown: " + clause);
      down_ += 20;
    }
  }

  void draw_legend() {
    int x = 20;
    const auto entry = [&](std::string_view kind, std::string_view words, int width) {
      body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"12\" class=\"{}\"/>\n", x,
                           down_ - 10, kind);
      text(x + 20, down_, "small", words);
      x += width;
    };
    entry("recoverable", "recoverable", 110);
    entry("lost", "archived, not recoverable", 180);
    entry("missing", "missing", 90);
    entry("outside", "before the first backup's end", 180);
    text(x, down_, "small", "F D I: full, differential, incremental backup; x: unusable");
    down_ += 14;
  }

  const RecoveryMap& map_;
  std::string body_;
  int down_ = 0;
};

}  // namespace

void write_map_svg(const RecoveryMap& map, std::ostream& out) { out << MapSvg(map).render(); }

}  // namespace pgrehearse
