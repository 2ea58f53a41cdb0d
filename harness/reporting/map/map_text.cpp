#include <fmt/format.h>

#include <algorithm>

#include "harness/map/map_branches.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t label_columns = 14;
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
    const auto span = span_of(archive);
    if (span.end <= span.begin) return;
    std::string letters(columns, ' ');
    for (const auto& mapped : archive.backups) {
      const auto end = end_lsn_of(mapped.backup, archive.segment_size);
      auto& cell = letters[column_of(span, end, columns)];
      if (cell != 'x') cell = letter_of(mapped);
    }
    out_ << '\n' << pad_right("backups", label_columns) << letters << '\n';
    for (const auto& branch : archive.branches) {
      const auto cells = map_cells(branch, archive.segment_size, span.begin, span.end, columns);
      out_ << pad_right(fmt::format("timeline {}", branch.timeline), label_columns);
      for (const auto cell : cells) out_ << glyph(cell);
      out_ << '\n';
    }
    const auto begin = to_text(span.begin);
    const auto end = to_text(span.end);
    out_ << pad_right("", label_columns) << begin << pad_left(end, columns - begin.size()) << '\n';
    out_ << pad_right("", label_columns)
         << fmt::format("{} recoverable  {} lost  {} missing\n", glyph(MapCell::recoverable),
                        glyph(MapCell::lost), glyph(MapCell::missing));
    line("", "F full, D differential, I incremental backup, at its end; x unusable");
    out_ << '\n';
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
