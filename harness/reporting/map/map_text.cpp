#include <fmt/format.h>

#include <algorithm>

#include "harness/report/finding_codes.hpp"
#include "harness/reporting/map/map_drawing.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t label_columns = 14;  // "time (+01:00)"
// Longer lists go to JSON.
constexpr std::size_t most_lines = 20;

class MapText {
 public:
  MapText(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out)
      : map_(map), options_(options), out_(out), palette_(options.color) {}

  void write() {
    out_ << palette_.bold(
                cut_to(fmt::format("recovery map of stanza {}", printable(map_.stanza)), width()))
         << '\n';
    paragraph(fmt::format("created {}, {}", time_in_words(map_.created_at),
                          printable(map_.tool_version)));
    if (map_.archives.empty()) {
      line("",
           fmt::format("no backup: nothing can be recovered ({})", printable(map_.status.message)));
    }
    for (const auto& archive : map_.archives) write(archive);
    write_window();
    if (map_.lag) write(*map_.lag);
    for (const auto& clause : map_.unknown) line("unknown", printable(clause));
  }

 private:
  [[nodiscard]] std::size_t width() const {
    return static_cast<std::size_t>(std::clamp(options_.width, 60, 400));
  }

  void paragraph(const std::string& text) {
    for (const auto& part : wrap(text, width())) out_ << part << '\n';
  }

  void line(std::string_view label, const std::string& text) {
    bool first = true;
    for (const auto& part : wrap(text, width() - label_columns)) {
      out_ << pad_right(first ? label : "", label_columns) << part << '\n';
      first = false;
    }
  }

  void write(const MapArchive& archive) {
    out_ << '\n';
    paragraph(in_words(archive) + (archive.verified
                                       ? "; file contents verified"
                                       : "; file names checked, contents not read (use --verify)"));
    draw(archive);
    for (const auto& branch : archive.branches) write(archive, branch);
    write_unusable(archive);
    for (const auto& range : archive.unreachable) {
      line("unreachable", fmt::format("timeline {}: {}: no backup can be recovered to it",
                                      range.timeline, in_words(range, archive.segment_size)));
    }
  }

  void draw(const MapArchive& archive) {
    const auto columns = width() - label_columns - 1;
    const auto drawing = draw_archive(archive, options_, std::max<std::size_t>(columns / 18, 2));
    if (!drawing) return;
    std::string letters(columns, ' ');
    for (const auto& backup : drawing->backups) {
      auto& cell = letters[column_of(backup.x, columns)];
      if (cell != 'x') cell = backup.letter;
    }
    out_ << '\n' << pad_right("backups", label_columns) << without_last_blanks(letters) << '\n';
    for (const auto& row : drawing->rows) {
      std::string cells;
      for (const auto cell : map_cells(row, columns)) cells += glyph(cell);
      out_ << pad_right(row.label, label_columns) << without_last_blanks(cells) << '\n';
    }
    for (const auto& mark : drawing->marks) {
      if (mark.kind == "target") draw_mark(mark, columns);
    }
    draw_axis(fmt::format("time ({})", drawing->zone), *drawing, columns,
              &RecoveryDrawing::Tick::time);
    draw_axis("LSN (about)", *drawing, columns, &RecoveryDrawing::Tick::lsn);
    line("",
         fmt::format("{} recoverable  {} lost  {} missing; F full, D differential, I "
                     "incremental backup, at its end; x unusable",
                     glyph(MapCell::recoverable), glyph(MapCell::lost), glyph(MapCell::missing)));
    if (!drawing->outside.empty()) line("", palette_.dim(drawing->outside));
    out_ << '\n';
  }

  static std::string_view without_last_blanks(std::string_view text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
  }

  static std::size_t column_of(double share, std::size_t columns) {
    return std::min(columns - 1, static_cast<std::size_t>(share * static_cast<double>(columns)));
  }

  // An arrow below its position, with its text next to it.
  void draw_mark(const RecoveryDrawing::Mark& mark, std::size_t columns) {
    const auto at = column_of(mark.x, columns);
    const auto text = cut_to(mark.text, columns - 2);
    const bool before = at + 2 + text.size() > columns;
    const auto begin = before && at > text.size() ? at - text.size() - 1 : at + 2;
    std::string row(columns, ' ');
    row[at] = '^';
    if (begin + text.size() <= columns) row.replace(begin, text.size(), text);
    out_ << pad_right("", label_columns) << without_last_blanks(row) << '\n';
  }

  // A text that would touch the one before it is left out.
  void draw_axis(const std::string& label, const RecoveryDrawing& drawing, std::size_t columns,
                 std::string RecoveryDrawing::Tick::*text) {
    std::string row;
    for (const auto& tick : drawing.ticks) {
      const auto& words = tick.*text;
      const auto at = column_of(tick.x, columns);
      auto begin = at > words.size() / 2 ? at - words.size() / 2 : 0;
      begin = std::min(begin, columns - std::min(columns, words.size()));
      if (words.empty() || (!row.empty() && begin < row.size() + 2)) continue;
      row.resize(begin, ' ');
      row += words;
    }
    out_ << pad_right(label, label_columns) << row << '\n';
  }

  [[nodiscard]] std::string glyph(MapCell cell) const {
    switch (cell) {
      case MapCell::recoverable:
        return palette_.of(Verdict::pass, options_.unicode ? "█" : "#");
      case MapCell::lost:
        return palette_.yellow(options_.unicode ? "▒" : "-");
      case MapCell::missing:
        return palette_.red(options_.unicode ? "╳" : "!");
      case MapCell::outside:
        break;
    }
    return " ";
  }

  void write(const MapArchive& archive, const MapBranch& branch) {
    const auto label = fmt::format("timeline {}", branch.timeline);
    out_ << palette_.bold(label)
         << (branch.latest ? " (latest)" : " (not the latest; select it with recover_to.timeline)")
         << '\n';
    limited(branch.windows, [&](const MapWindow& window) {
      const auto& backups = window.backups;
      const auto from = backups.size() == 1
                            ? fmt::format("backup {}", backups.front())
                            : fmt::format("{} backups from {}", backups.size(), backups.front());
      line("  recoverable", fmt::format("{}; {} to {}, {}", in_words(window),
                                        to_text(window.begin.lsn), to_text(window.end.lsn), from));
      if (!window.note.empty()) line("", palette_.dim(printable(window.note)));
    });
    if (branch.windows.empty()) line("  recoverable", palette_.red("nothing"));
    limited(branch.losses, [&](const MapLoss& loss) {
      line(palette_.red("  lost") + std::string(label_columns - 6, ' '),
           fmt::format(
               "{} to {}; {} to {}: {}", when(loss.begin),
               loss.ended_by_backup ? when(loss.end) : "the end of the archive, " + when(loss.end),
               to_text(loss.begin.lsn), to_text(loss.end.lsn), printable(loss.reason)));
    });
    limited(branch.gaps,
            [&](const WalRange& gap) { line("  missing", in_words(gap, archive.segment_size)); });
    for (const auto& problem : branch.problems) {
      line(problem.blocks ? "  problem" : "  note", printable(problem.message));
    }
  }

  template <typename Items, typename Write>
  void limited(const Items& items, const Write& write_one) {
    std::size_t written = 0;
    for (const auto& item : items) {
      if (written++ == most_lines) {
        line("", fmt::format("and {} more (--format json lists all)", items.size() - most_lines));
        return;
      }
      write_one(item);
    }
  }

  void write_unusable(const MapArchive& archive) {
    std::vector<const MappedBackup*> unusable;
    for (const auto& mapped : archive.backups) {
      if (!mapped.usable()) unusable.push_back(&mapped);
    }
    if (!unusable.empty()) out_ << palette_.bold("unusable backups") << '\n';
    limited(unusable, [&](const MappedBackup* mapped) {
      std::string text = fmt::format("{} ({}):", mapped->backup.label, text_of(mapped->code));
      for (const auto& problem : mapped->problems) text += " " + problem + ";";
      text.pop_back();
      line("", printable(text));
    });
  }

  void write_window() {
    const auto* oldest = oldest_window(map_);
    const auto* newest = newest_window(map_);
    out_ << '\n';
    if (oldest == nullptr) {
      line("window", palette_.red("nothing can be recovered on the latest timeline"));
      return;
    }
    line("oldest", fmt::format("{} ({})", when(oldest->begin), to_text(oldest->begin.lsn)));
    line("newest", fmt::format("{}{} (replay ends at {})", newest->end.time ? "just before " : "",
                               when(newest->end), to_text(newest->end.lsn)));
    const auto breaks = map_.archives.front().branches.front().windows.size() - 1;
    if (breaks > 0) {
      line("", fmt::format("not continuous: {} {} in between", breaks,
                           breaks == 1 ? "break" : "breaks"));
    }
  }

  void write(const ArchiveLag& lag) {
    line("lag",
         fmt::format("{} of WAL: the primary is at {}{}", to_text(Bytes{lag.bytes}),
                     to_text(lag.primary_lsn),
                     lag.seconds ? ", its newest commit is " + duration_in_words(*lag.seconds) +
                                       " newer than the newest recoverable one"
                                 : std::string()));
    if (lag.last_archived_at) {
      line("", fmt::format("the primary archived {} at {}", lag.last_archived,
                           time_in_words(*lag.last_archived_at)));
    }
    if (lag.failing) {
      line("", palette_.red(fmt::format("archiving is failing: {} at {}", lag.last_failed,
                                        time_in_words(*lag.last_failed_at))));
    }
  }

  const RecoveryMap& map_;
  const MapRenderOptions& options_;
  std::ostream& out_;
  Palette palette_;
};

}  // namespace

void write_map_text(const RecoveryMap& map, const MapRenderOptions& options, std::ostream& out) {
  MapText(map, options, out).write();
}

}  // namespace pgrehearse
