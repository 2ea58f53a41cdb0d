#include <fmt/format.h>

#include <algorithm>

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
    paragraph(
        fmt::format("drawn {}, {}", time_in_words(map_.drawn_at), printable(map_.tool_version)));
    if (map_.archives.empty()) {
      line("", fmt::format("no backup set: nothing can be recovered ({})",
                           printable(map_.status.message)));
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
    paragraph(fmt::format(
        "archive {}, PostgreSQL {}, repository {}: {} sets, {} WAL segments, {}{}", archive.id,
        archive.postgres_version, archive.repository_key, archive.sets.size(), archive.segments,
        to_text(archive.bytes),
        archive.verified ? ", each file read" : ", listed, not read (--verify reads each file)"));
    draw(archive);
    for (const auto& branch : archive.branches) write(archive, branch);
    write_useless(archive);
    for (const auto& range : archive.unreachable) {
      line("out of reach", fmt::format("timeline {}: {}: no set leads there", range.timeline,
                                       in_words(range, archive.segment_size)));
    }
  }

  void draw(const MapArchive& archive) {
    const auto columns = width() - label_columns - 1;
    const auto span = span_of(archive);
    if (span.end <= span.begin) return;
    std::string sets(columns, ' ');
    for (const auto& set : archive.sets) {
      auto& cell = sets[column_of(span, end_of(set.backup, archive.segment_size), columns)];
      if (cell == 'x') continue;
      const char letter = set.backup.type == BackupType::full           ? 'F'
                          : set.backup.type == BackupType::differential ? 'D'
                                                                        : 'I';
      cell = set.usable() ? letter : 'x';
    }
    out_ << '\n' << pad_right("sets", label_columns) << sets << '\n';
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
    line("", "F full, D differential, I incremental set, at its end; x of no use");
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
         << (branch.latest ? " (latest)" : " (left; name it with recover_to.timeline)") << '\n';
    limited(branch.stretches, [&](const MapStretch& stretch) {
      line("  can be had", fmt::format("{}; {} to {}, {}", in_words(stretch),
                                       to_text(stretch.begin.lsn), to_text(stretch.end.lsn),
                                       stretch.sets.size() == 1
                                           ? fmt::format("set {}", stretch.sets.front())
                                           : fmt::format("{} sets from {}", stretch.sets.size(),
                                                         stretch.sets.front())));
      if (!stretch.note.empty()) line("", palette_.dim(printable(stretch.note)));
    });
    if (branch.stretches.empty()) line("  can be had", palette_.red("nothing"));
    limited(branch.losses, [&](const MapLoss& loss) {
      line(palette_.red("  lost") + std::string(label_columns - 6, ' '),
           fmt::format("{} to {}; {} to {}: {}", when(loss.begin),
                       loss.ended_by_set ? when(loss.end) : "the archive's end, " + when(loss.end),
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
        line("", fmt::format("and {} more: --format json lists all", items.size() - most_lines));
        return;
      }
      write_one(item);
    }
  }

  void write_useless(const MapArchive& archive) {
    std::vector<const MappedSet*> useless;
    for (const auto& set : archive.sets) {
      if (!set.usable()) useless.push_back(&set);
    }
    if (!useless.empty()) out_ << palette_.bold("sets of no use") << '\n';
    limited(useless, [&](const MappedSet* set) {
      std::string text = fmt::format("{} ({}):", set->backup.label, set->code);
      for (const auto& fault : set->faults) text += " " + fault + ";";
      text.pop_back();
      line("", printable(text));
    });
  }

  void write_window() {
    const auto* oldest = oldest_stretch(map_);
    const auto* newest = newest_stretch(map_);
    out_ << '\n';
    if (oldest == nullptr) {
      line("window", palette_.red("no instant can be recovered on the latest timeline"));
      return;
    }
    line("oldest", fmt::format("{} ({})", when(oldest->begin), to_text(oldest->begin.lsn)));
    line("newest", fmt::format("{}{} (replay ends at {})", newest->end.time ? "just before " : "",
                               when(newest->end), to_text(newest->end.lsn)));
    const auto breaks = map_.archives.front().branches.front().stretches.size() - 1;
    if (breaks > 0) {
      line("", fmt::format("with {} {} between them", breaks, breaks == 1 ? "break" : "breaks"));
    }
  }

  void write(const ArchiveLag& lag) {
    line("lag", fmt::format("{} of WAL: the primary is at {}{}", to_text(Bytes{lag.bytes}),
                            to_text(lag.primary_lsn),
                            lag.seconds ? ", newest commit " + duration_in_words(*lag.seconds) +
                                              " after the newest recoverable one"
                                        : std::string()));
    if (lag.last_archived_at) {
      line("", fmt::format("the primary archived {} at {}", lag.last_archived,
                           time_in_words(*lag.last_archived_at)));
    }
    if (lag.failing) {
      line("", palette_.red(fmt::format("archiving fails: {} at {}", lag.last_failed,
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
