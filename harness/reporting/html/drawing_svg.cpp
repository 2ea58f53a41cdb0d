#include "harness/reporting/html/drawing_svg.hpp"

#include <fmt/format.h>

#include <kainjow/mustache.hpp>

#include "harness/reporting/html/templates.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

constexpr double left = 110;
constexpr double right = 990;
constexpr int rows_top = 34;
constexpr int row_height = 28;
constexpr int line_height = 19;

data text(std::string_view value) { return data(printable(value)); }
data list() { return data(data::type::list); }

std::string x_of(double share) { return fmt::format("{:.1f}", left + share * (right - left)); }

data lines_of(const std::vector<SvgLine>& lines, int top) {
  auto items = list();
  for (const auto& line : lines) {
    data item;
    item.set("kind", line.kind);
    item.set("text", text(cut_to(line.text, 150)));
    item.set("y", std::to_string(top += line_height));
    items.push_back(item);
  }
  return items;
}

data backups_of(const RecoveryDrawing& drawing) {
  auto items = list();
  double labelled = -1;
  for (const auto& backup : drawing.backups) {
    data item;
    item.set("x", x_of(backup.x));
    item.set("tip", text(backup.tip));
    item.set("unusable", data(backup.letter == 'x'));
    item.set("chosen", data(backup.chosen));
    // Letters would overlap.
    if (backup.x > labelled + 0.014 || backup.chosen) {
      labelled = backup.x;
      item.set("letter", std::string(1, backup.letter));
    }
    items.push_back(item);
  }
  return items;
}

data rows_of(const RecoveryDrawing& drawing) {
  auto items = list();
  int y = rows_top;
  for (const auto& row : drawing.rows) {
    data item;
    item.set("label", text(row.label));
    item.set("text_y", std::to_string(y + 15));
    auto bars = list();
    for (const auto& bar : row.bars) {
      data each;
      each.set("kind", std::string(bar.kind));
      each.set("x", x_of(bar.begin));
      each.set("width", fmt::format("{:.1f}", (bar.end - bar.begin) * (right - left)));
      each.set("y", std::to_string(y));
      each.set("tip", text(bar.tip));
      bars.push_back(each);
    }
    item.set("bars", bars);
    items.push_back(item);
    y += row_height;
  }
  return items;
}

data ticks_of(const RecoveryDrawing& drawing, int axis) {
  auto items = list();
  for (const auto& tick : drawing.ticks) {
    data item;
    item.set("x", x_of(tick.x));
    item.set("time", text(tick.time));
    item.set("lsn", text(tick.lsn));
    item.set("anchor", tick.x < 0.05 ? "start" : tick.x > 0.95 ? "end" : "middle");
    item.set("axis", std::to_string(axis));
    item.set("time_y", std::to_string(axis + 14));
    item.set("lsn_y", std::to_string(axis + 30));
    items.push_back(item);
  }
  return items;
}

data marks_of(const RecoveryDrawing& drawing, int y) {
  auto items = list();
  for (const auto& mark : drawing.marks) {
    const bool near_right = mark.x > 0.5;
    data item;
    item.set("kind", std::string(mark.kind));
    item.set("x", x_of(mark.x));
    item.set("text_x",
             fmt::format("{:.1f}", left + mark.x * (right - left) + (near_right ? -6 : 6)));
    item.set("anchor", near_right ? "end" : "start");
    item.set("y", std::to_string(y += line_height));
    item.set("text", text(mark.text));
    items.push_back(item);
  }
  return items;
}

data drawing_data(const RecoveryDrawing& drawing, int top, const std::vector<SvgLine>& notes) {
  const int axis = rows_top + row_height * static_cast<int>(drawing.rows.size());
  const int marks = axis + 36;
  const int below = marks + line_height * static_cast<int>(drawing.marks.size());
  data page;
  page.set("top", std::to_string(top));
  page.set("height",
           std::to_string(top + below + line_height * static_cast<int>(notes.size()) + 10));
  page.set("time_y", std::to_string(axis + 14));
  page.set("lsn_y", std::to_string(axis + 30));
  page.set("description", text(drawing.description));
  page.set("zone", text(drawing.zone));
  page.set("has_backups", data(!drawing.backups.empty()));
  page.set("backups", backups_of(drawing));
  page.set("rows", rows_of(drawing));
  page.set("ticks", ticks_of(drawing, axis));
  page.set("marks", marks_of(drawing, marks));
  page.set("notes", lines_of(notes, below));
  return page;
}

std::string render(const data& page) {
  return mustache(std::string(embedded::drawing_mustache)).render(page);
}

}  // namespace

std::string drawing_svg(const RecoveryDrawing& drawing) {
  return render(drawing_data(drawing, 0, {}));
}

std::string drawing_file(const RecoveryDrawing& drawing, const std::string& title,
                         const std::vector<SvgLine>& heading, const std::vector<SvgLine>& notes) {
  auto page = drawing_data(drawing, line_height * static_cast<int>(heading.size()) + 14, notes);
  page.set("standalone", data(true));
  page.set("title", text(title));
  page.set("style", std::string(embedded::drawing_css));
  page.set("heading", lines_of(heading, 4));
  return render(page);
}

}  // namespace pgrehearse
