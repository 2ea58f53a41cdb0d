#include "harness/repository/wal_lineage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t segment_name_length = 24;

std::string_view base_name(std::string_view file) { return file.substr(file.rfind('/') + 1); }

bool is_partial(const ArchivedSegment& file) {
  return base_name(file.file).find(".partial") != std::string_view::npos;
}

// "SEGMENT-CHECKSUM.EXTENSION" as pgBackRest names it, or a bare segment name.
std::string_view checksum_of(const ArchivedSegment& file) {
  auto name = base_name(file.file);
  name.remove_prefix(std::min(name.size(), segment_name_length));
  return name.substr(0, name.find('.'));
}

bool is_compressed(const ArchivedSegment& file) {
  return base_name(file.file).find('.') != std::string_view::npos;
}

bool has_plausible_size(const ArchivedSegment& file, std::uint64_t segment_size, bool encrypted) {
  if (is_compressed(file)) return file.size.count > 0;
  // A salt header and up to a block of padding.
  const std::uint64_t overhead = encrypted ? 64 : 0;
  return file.size.count >= segment_size && file.size.count <= segment_size + overhead;
}

std::string history_file(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

class Tracer {
 public:
  Tracer(const ArchiveIndex& index, const LineageRequest& request)
      : archive_(index.archive), request_(request), files_(index.files), damage_(index.damage) {
    result_.segment_size = archive_.segment_size;
  }

  WalLineage trace() {
    if (request_.offline && !find_start()) {
      result_.timeline = request_.start.timeline;
      result_.backup_complete = true;
      return std::move(result_);
    }
    choose_timeline();
    note_orphaned_branches();
    plan_ranges();
    for (const auto& range : result_.required) inspect(range);
    measure();
    return std::move(result_);
  }

 private:
  void add_problem(LineageProblemKind kind, std::string object, std::string message, bool blocks) {
    result_.problems.push_back({kind, std::move(object), std::move(message), blocks});
  }

  // The first of the newest consecutive segments. False: the archive has none.
  bool find_start() {
    Timeline timeline = files_.empty() ? 1 : files_.rbegin()->first.timeline;
    const auto& text = request_.timeline;
    std::from_chars(text.data(), text.data() + text.size(), timeline);
    const auto newest = newest_on(timeline);
    request_.start = {.timeline = timeline, .number = newest.value_or(0)};
    while (request_.start.number > 0 &&
           files_.contains({.timeline = timeline, .number = request_.start.number - 1})) {
      --request_.start.number;
    }
    return newest.has_value();
  }

  std::optional<std::uint64_t> newest_on(Timeline timeline) const {
    const auto next = files_.upper_bound(
        {.timeline = timeline, .number = std::numeric_limits<std::uint64_t>::max()});
    if (next == files_.begin() || std::prev(next)->first.timeline != timeline) return {};
    return std::prev(next)->first.number;
  }

  std::uint64_t number_at(Lsn lsn) const { return lsn.value / result_.segment_size; }
  std::string name(WalSegment segment) const { return file_name(segment, result_.segment_size); }

  void choose_timeline() {
    const auto wanted = request_.timeline == "latest"    ? newest_timeline()
                        : request_.timeline == "current" ? request_.start.timeline
                                                         : stated_timeline();
    result_.timeline = request_.start.timeline;
    if (wanted == request_.start.timeline) return;
    const auto& history = archive_.histories.at(wanted);
    const auto own = std::find_if(history.begin(), history.end(), [&](const auto& entry) {
      return entry.timeline == request_.start.timeline;
    });
    if (own == history.end()) {
      add_problem(LineageProblemKind::not_a_child, history_file(wanted),
                  fmt::format("timeline {} does not descend from the backup's timeline {}", wanted,
                              request_.start.timeline),
                  true);
      return;
    }
    if (own->switch_lsn < backup_end()) {
      add_problem(
          LineageProblemKind::not_a_child, history_file(wanted),
          fmt::format("timeline {} branches off timeline {} at {}, before the backup ended at {}",
                      wanted, own->timeline, to_text(own->switch_lsn), to_text(backup_end())),
          true);
      return;
    }
    result_.timeline = wanted;
    result_.switches.assign(own, history.end());
  }

  Lsn backup_end() const {
    if (request_.stop_lsn) return *request_.stop_lsn;
    return start_of(request_.stop.value_or(request_.start), result_.segment_size);
  }

  // PostgreSQL counts up from the backup's timeline and stops at the first missing history file.
  Timeline newest_timeline() {
    auto newest = request_.start.timeline;
    while (archive_.histories.contains(newest + 1)) ++newest;
    Timeline archived = archive_.histories.empty() ? 0 : archive_.histories.rbegin()->first;
    if (!files_.empty()) archived = std::max(archived, files_.rbegin()->first.timeline);
    if (archived > newest) {
      add_problem(
          LineageProblemKind::missing_history, history_file(newest + 1),
          fmt::format("WAL of timeline {} is archived, but {} is not: recovery to latest ends on "
                      "timeline {}",
                      archived, history_file(newest + 1), newest),
          true);
    }
    return newest;
  }

  Timeline stated_timeline() {
    Timeline stated = 0;
    const auto& text = request_.timeline;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), stated);
    const bool known = failure == std::errc{} && end == text.data() + text.size() &&
                       (stated == request_.start.timeline || archive_.histories.contains(stated));
    if (known) return stated;
    add_problem(LineageProblemKind::unknown_timeline,
                failure == std::errc{} ? history_file(stated) : text,
                fmt::format("timeline {} has no history file in the archive", text), true);
    return request_.start.timeline;
  }

  // The next timeline after `ancestor`.
  Timeline child_of(const TimelineSwitch& ancestor) const {
    const auto next =
        std::find_if(result_.switches.begin(), result_.switches.end(),
                     [&](const auto& entry) { return entry.timeline > ancestor.timeline; });
    return next == result_.switches.end() ? result_.timeline : next->timeline;
  }

  void note_orphaned_branches() {
    const auto child_end = newest_on(result_.timeline);
    for (const auto& ancestor : result_.switches) {
      const auto newest = newest_on(ancestor.timeline);
      const auto fork = number_at(ancestor.switch_lsn);
      if (!newest || *newest <= fork) continue;
      const auto beyond =
          std::distance(files_.upper_bound({.timeline = ancestor.timeline, .number = fork}),
                        files_.upper_bound({.timeline = ancestor.timeline, .number = *newest}));
      // A failover leaves a few such segments; a parent newer than its child is still in use.
      const bool outran = !child_end || *newest > *child_end;
      add_problem(
          LineageProblemKind::orphaned_branch,
          name({.timeline = ancestor.timeline, .number = *newest}),
          fmt::format("timeline {} continues for {} segments past {}, where timeline {} branches "
                      "off; recovery follows timeline {}",
                      ancestor.timeline, beyond, to_text(ancestor.switch_lsn), child_of(ancestor),
                      child_end ? result_.timeline : ancestor.timeline),
          outran);
    }
  }

  // PostgreSQL reads the segment that holds a switch from the newer timeline.
  void plan_ranges() {
    auto begin = request_.start.number;
    for (const auto& [timeline, switch_lsn] : result_.switches) {
      const auto next = std::max(begin, number_at(switch_lsn));
      if (next > begin) result_.required.push_back({timeline, begin, next - 1});
      begin = next;
    }
    const auto newest = newest_on(result_.timeline);
    const bool has_any = newest && *newest >= begin;
    if (!has_any && !result_.switches.empty()) {
      add_problem(LineageProblemKind::empty_timeline, history_file(result_.timeline),
                  fmt::format("no segment of timeline {} has been archived yet", result_.timeline),
                  false);
      read_on_past_the_fork(begin);
      return;
    }
    auto end = has_any ? *newest : begin;
    if (request_.stop && request_.stop->timeline == result_.timeline) {
      end = std::max(end, request_.stop->number);
    }
    result_.required.push_back({result_.timeline, begin, end});
  }

  // If the newer timeline has no file, PostgreSQL reads the older one's (measured: replay continues
  // on the parent past the fork).
  void read_on_past_the_fork(std::uint64_t begin) {
    for (auto older = result_.switches.rbegin(); older != result_.switches.rend(); ++older) {
      const auto newest = newest_on(older->timeline);
      if (!newest || *newest < begin) continue;
      auto& ranges = result_.required;
      if (!ranges.empty() && ranges.back().timeline == older->timeline) {
        ranges.back().last = *newest;
      } else {
        ranges.push_back({older->timeline, begin, *newest});
      }
      return;
    }
  }

  void inspect(const WalRange& range) {
    result_.required_count += range.count();
    auto expected = range.first;
    for (auto at = files_.lower_bound(range.first_segment());
         at != files_.end() && at->first <= range.last_segment(); ++at) {
      if (at->first.number > expected) {
        result_.gaps.push_back({range.timeline, expected, at->first.number - 1});
      }
      expected = at->first.number + 1;
      inspect(at->first, at->second);
    }
    if (expected <= range.last) result_.gaps.push_back({range.timeline, expected, range.last});
  }

  void inspect(WalSegment segment, const std::vector<const ArchivedSegment*>& files) {
    for (const auto* file : files) {
      result_.required_bytes.count += file->size.count;
      if (const auto damage = damage_.find(file->file); damage != damage_.end()) {
        add_problem(LineageProblemKind::damaged, file->file,
                    fmt::format("segment {} is damaged: {}", name(segment), damage->second), true);
        mark_unusable(segment.number);
        continue;
      }
      if (has_plausible_size(*file, result_.segment_size, request_.encrypted)) continue;
      add_problem(LineageProblemKind::wrong_size, file->file,
                  fmt::format("segment {} has {} bytes in the archive, expected {}", name(segment),
                              file->size.count,
                              is_compressed(*file) ? "a compressed segment"
                                                   : std::to_string(result_.segment_size)),
                  true);
      mark_unusable(segment.number);
    }
    const bool differ = std::any_of(files.begin(), files.end(), [&](const auto* file) {
      return checksum_of(*file) != checksum_of(*files.front());
    });
    if (!differ) return;
    add_problem(LineageProblemKind::duplicate, name(segment),
                fmt::format("segment {} is in the archive {} times with different content",
                            name(segment), files.size()),
                true);
    mark_unusable(segment.number);
  }

  void mark_unusable(std::uint64_t number) {
    unusable_ = std::min(unusable_.value_or(number), number);
  }

  void measure() {
    for (const auto& gap : result_.gaps) result_.missing_count += gap.count();
    const auto present = result_.required_count - result_.missing_count;
    auto blocked = unusable_;
    result_.before_first_gap = present;
    if (!result_.gaps.empty()) {
      const auto first = result_.gaps.front().first;
      result_.before_first_gap = first - request_.start.number;
      blocked = std::min(blocked.value_or(first), first);
    }
    result_.after_first_gap = present - result_.before_first_gap;
    result_.archive_end = start_of(request_.start, result_.segment_size);
    result_.reachable_end = result_.archive_end;
    for (const auto& range : result_.required) {
      if (const auto newest = newest_present(range)) {
        result_.archive_end = start_of({range.timeline, *newest + 1}, result_.segment_size);
      }
      const auto end = std::min(blocked.value_or(range.last + 1), range.last + 1);
      if (end <= range.first) continue;
      result_.last_reachable = WalSegment{.timeline = range.timeline, .number = end - 1};
      result_.reachable_end = start_of({range.timeline, end}, result_.segment_size);
    }
    read_on_to_the_switch();
    result_.backup_complete = backup_is_complete();
  }

  // If the newer timeline's copy of the segment with the switch is missing, PostgreSQL reads the
  // older one's, which is the same up to the switch and different after it.
  void read_on_to_the_switch() {
    for (const auto& fork : result_.switches) {
      const WalSegment older{.timeline = fork.timeline, .number = number_at(fork.switch_lsn)};
      const auto& last = result_.last_reachable;
      const bool ends_there =
          last ? last->timeline == fork.timeline && last->number + 1 == older.number
               : request_.start == older;
      const bool missing = std::ranges::any_of(result_.gaps, [&](const auto& gap) {
        return gap.timeline > fork.timeline && gap.first == older.number;
      });
      const auto files = files_.find(older);
      if (!ends_there || !missing || files == files_.end() || !is_sound(files->second)) continue;
      result_.last_reachable = older;
      result_.reachable_end = fork.switch_lsn;
      return;
    }
  }

  bool is_sound(const std::vector<const ArchivedSegment*>& files) const {
    return std::ranges::all_of(files, [&](const auto* file) {
      return !damage_.contains(file->file) &&
             has_plausible_size(*file, result_.segment_size, request_.encrypted) &&
             checksum_of(*file) == checksum_of(*files.front());
    });
  }

  std::optional<std::uint64_t> newest_present(const WalRange& range) const {
    const auto next = files_.upper_bound(range.last_segment());
    if (next == files_.begin() || std::prev(next)->first < range.first_segment()) return {};
    return std::prev(next)->first.number;
  }

  // If a switch is in the backup's last segment, the child's copy of it is sufficient.
  bool backup_is_complete() const {
    const bool has_stop = request_.stop && request_.stop->timeline == request_.start.timeline;
    const auto last = has_stop ? request_.stop->number : request_.start.number;
    if (result_.last_reachable && result_.last_reachable->number >= last) return true;
    if (unusable_ && *unusable_ <= last) return false;
    for (auto number = request_.start.number; number <= last; ++number) {
      if (!files_.contains({.timeline = request_.start.timeline, .number = number})) return false;
    }
    return true;
  }

  const ArchiveListing& archive_;
  LineageRequest request_;
  const std::map<WalSegment, std::vector<const ArchivedSegment*>>& files_;
  const std::map<std::string, std::string>& damage_;
  WalLineage result_;
  std::optional<std::uint64_t> unusable_;  // the first segment that is present but unusable
};

}  // namespace

LineageRequest lineage_request(const Backup& backup, const std::string& timeline,
                               std::uint64_t segment_size) {
  if (backup.start_segment.empty()) {
    return {.timeline = timeline, .encrypted = backup.encrypted, .offline = true};
  }
  const auto start = parse_wal_segment(backup.start_segment, segment_size);
  if (!start) {
    throw Error(ErrorKind::repository,
                fmt::format("backup {} has no valid first WAL segment ('{}')", backup.label,
                            backup.start_segment),
                "an online backup cannot be recovered without the WAL written while it was taken",
                FindingCode::wal_missing, backup.label);
  }
  return {.start = *start,
          .stop = parse_wal_segment(backup.stop_segment, segment_size),
          .stop_lsn = backup.stop_lsn,
          .timeline = timeline,
          .encrypted = backup.encrypted};
}

bool WalLineage::continuous() const {
  return gaps.empty() && std::none_of(problems.begin(), problems.end(),
                                      [](const auto& problem) { return problem.blocks; });
}

ArchiveIndex::ArchiveIndex(const ArchiveListing& listing) : archive(listing) {
  for (const auto& file : listing.segments) {
    if (!is_partial(file)) files[file.segment].push_back(&file);
  }
}

WalLineage trace_lineage(const ArchiveListing& archive, const LineageRequest& request) {
  return trace_lineage(ArchiveIndex(archive), request);
}

WalLineage trace_lineage(const ArchiveIndex& index, const LineageRequest& request) {
  if (index.archive.segment_size == 0) {
    throw Error(ErrorKind::internal, "the archive listing has no segment size");
  }
  return Tracer(index, request).trace();
}

bool reaches_archive_end(Lsn replayed, Lsn archive_end, std::uint64_t segment_size) {
  return archive_end.value <= segment_size || replayed.value > archive_end.value - segment_size;
}

}  // namespace pgrehearse
