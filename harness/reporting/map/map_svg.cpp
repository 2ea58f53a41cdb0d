#include <fmt/format.h>

#include "harness/reporting/html/drawing_svg.hpp"
#include "harness/reporting/map/map_drawing.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/phrases.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_losses = 12;

std::vector<SvgLine> heading_of(const RecoveryMap& map) {
  std::vector<SvgLine> lines{
      {"title", fmt::format("Recovery map of stanza {}", map.stanza)},
      {"small", fmt::format("{}, created {}", map.tool_version, time_in_words(map.created_at))}};
  if (map.archives.empty()) {
    lines.push_back({"", "no backup: nothing can be recovered"});
  } else {
    lines.push_back({"small", in_words(map.archives.front())});
  }
  return lines;
}

void list_losses(const MapBranch& branch, std::vector<SvgLine>& lines) {
  std::size_t listed = 0;
  for (const auto& loss : branch.losses) {
    if (listed++ == most_losses) {
      lines.push_back({"small", fmt::format("and {} more", branch.losses.size() - most_losses)});
      return;
    }
    lines.push_back({"", fmt::format("lost on timeline {}: {} to {}", branch.timeline,
                                     when(loss.begin), when(loss.end))});
    lines.push_back({"small", loss.reason});
  }
}

std::vector<SvgLine> notes_of(const RecoveryMap& map) {
  std::vector<SvgLine> lines{
      {"small",
       "green: recoverable; hatched: lost; red: missing; F full, D differential, I incremental "
       "backup at its end; x unusable"}};
  if (!map.archives.empty()) {
    for (const auto& branch : map.archives.front().branches) list_losses(branch, lines);
    for (const auto& mapped : map.archives.front().backups) {
      if (mapped.usable()) continue;
      lines.push_back({"", fmt::format("backup {} is unusable: {}", mapped.backup.label,
                                       mapped.problems.front())});
    }
  }
  const auto* oldest = oldest_window(map);
  const auto* newest = newest_window(map);
  if (oldest != nullptr) {
    lines.push_back({"", "oldest recoverable time: " + when(oldest->begin)});
    lines.push_back({"", fmt::format("newest: {}{}", newest->end.time ? "just before " : "",
                                     when(newest->end))});
  }
  if (map.lag) {
    lines.push_back({"", fmt::format("the archive lags the primary by {} of WAL",
                                     to_text(Bytes{map.lag->bytes}))});
  }
  for (const auto& clause : map.unknown) lines.push_back({"", "unknown: " + clause});
  if (map.archives.size() > 1) {
    lines.push_back({"small", fmt::format("{} older archives are not drawn; see the text format",
                                          map.archives.size() - 1)});
  }
  return lines;
}

}  // namespace

void write_map_svg(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out) {
  std::optional<RecoveryDrawing> drawing;
  if (!map.archives.empty()) drawing = draw_archive(map.archives.front(), options, 6);
  out << drawing_file(drawing.value_or(RecoveryDrawing{}),
                      fmt::format("Recovery map of stanza {}", map.stanza), heading_of(map),
                      notes_of(map));
}

}  // namespace pgrehearse
