#include "harness/map/recovery_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/common/error.hpp"
#include "harness/map/map_branches.hpp"

namespace pgrehearse {

namespace {

// Overlapping and touching ranges of one timeline become one.
std::vector<WalRange> merged(std::vector<WalRange> ranges) {
  std::ranges::sort(ranges);
  std::vector<WalRange> result;
  for (const auto& range : ranges) {
    if (!result.empty() && result.back().timeline == range.timeline &&
        range.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

// A backup recovered along one timeline.
struct Path {
  std::size_t index = 0;
  WalLineage lineage;
};

class ArchiveMapper {
 public:
  ArchiveMapper(std::span<const Backup> backups, const ArchiveListing& archive,
                const ArchiveDamage& damage)
      : archive_(archive), index_(archive), damage_(damage) {
    index_.damage = damage.files;
    for (const auto& backup : backups) result_.backups.push_back({.backup = backup});
    std::ranges::stable_sort(result_.backups, {},
                             [](const auto& each) { return each.backup.stop_time; });
  }

  MapArchive build() {
    describe();
    for (std::size_t index = 0; index < result_.backups.size(); ++index) follow(index);
    for (auto& [timeline, paths] : paths_) add_branch(timeline, paths);
    std::ranges::stable_sort(result_.branches, {},
                             [](const auto& branch) { return !branch.latest; });
    clip_to_latest(result_, archive_);
    note_unreachable();
    return std::move(result_);
  }

 private:
  void describe() {
    result_.id = archive_.id;
    result_.segment_size = archive_.segment_size;
    result_.listed_at = archive_.listed_at;
    result_.segments = archive_.segments.size();
    result_.unrecognized = archive_.unrecognized;
    for (const auto& file : archive_.segments) {
      result_.bytes.count += file.size.count;
      newest_[file.segment.timeline] = file.segment.number;
    }
    if (result_.backups.empty()) return;
    const auto& newest = result_.backups.back().backup;
    result_.repository_key = newest.repository_key;
    result_.postgres_version = newest.postgres_version;
    result_.system_identifier = newest.system_identifier;
  }

  void add_problem_to(std::size_t index, FindingCode code, std::string message) {
    auto& mapped = result_.backups[index];
    if (mapped.code == FindingCode::none) mapped.code = code;
    mapped.problems.push_back(std::move(message));
  }

  void check_references(std::size_t index) {
    for (const auto& needed : result_.backups[index].backup.references) {
      const auto is_needed = [&](const auto& other) { return other.backup.label == needed; };
      if (std::ranges::none_of(result_.backups, is_needed)) {
        add_problem_to(index, FindingCode::backup_reference,
                       fmt::format("depends on backup {}, which is not in the repository", needed));
      }
    }
  }

  // Damage to a backup also makes the backups that depend on it unusable.
  void check_damage(std::size_t index) {
    const auto& backup = result_.backups[index].backup;
    for (const auto& [label, problem] : damage_.backups) {
      if (label == backup.label) {
        add_problem_to(index, FindingCode::backup_verify, problem);
      } else if (std::ranges::find(backup.references, label) != backup.references.end()) {
        add_problem_to(index, FindingCode::backup_verify,
                       fmt::format("depends on {}: {}", label, problem));
      }
    }
  }

  // All timelines along which this backup can be recovered.
  void follow(std::size_t index) {
    check_references(index);
    check_damage(index);
    std::optional<LineageRequest> request;
    try {
      request = lineage_request(result_.backups[index].backup, "latest", archive_.segment_size);
    } catch (const Error& error) {
      add_problem_to(index, error.code(), error.what());
      return;
    }
    auto lineage = trace_lineage(index_, *request);
    if (!lineage.backup_complete) {
      add_problem_to(
          index, FindingCode::wal_backup,
          fmt::format("WAL needed for consistency is missing or unusable between {} and {}",
                      result_.backups[index].backup.start_segment,
                      result_.backups[index].backup.stop_segment));
    }
    if (index + 1 < result_.backups.size()) drop_not_a_child(lineage);
    const auto latest = lineage.timeline;
    latest_ = latest;
    result_.backups[index].latest = latest;
    paths_[latest].push_back({.index = index, .lineage = std::move(lineage)});
    for (const auto timeline : timelines()) {
      if (timeline == latest || timeline < request->start.timeline ||
          ends_at_fork(timeline, latest))
        continue;
      follow(index, *request, timeline);
    }
  }

  void follow(std::size_t index, LineageRequest request, Timeline timeline) {
    request.timeline = std::to_string(timeline);
    auto lineage = trace_lineage(index_, request);
    if (lineage.timeline != timeline) return;
    drop_not_a_child(lineage);
    paths_[timeline].push_back({.index = index, .lineage = std::move(lineage)});
  }

  // An old backup on an orphaned branch is not a fault of the archive.
  static void drop_not_a_child(WalLineage& lineage) {
    std::erase_if(lineage.problems, [](const auto& problem) {
      return problem.kind == LineageProblemKind::not_a_child ||
             problem.kind == LineageProblemKind::unknown_timeline;
    });
  }

  [[nodiscard]] std::set<Timeline> timelines() const {
    std::set<Timeline> all;
    for (const auto& [timeline, newest] : newest_) all.insert(timeline);
    for (const auto& [timeline, history] : archive_.histories) all.insert(timeline);
    return all;
  }

  // `timeline` is an ancestor of `latest` with nothing archived after the fork.
  [[nodiscard]] bool ends_at_fork(Timeline timeline, Timeline latest) const {
    const auto newest = newest_.find(timeline);
    if (newest == newest_.end()) return true;
    const auto history = archive_.histories.find(latest);
    if (history == archive_.histories.end()) return false;
    const auto fork = std::ranges::find(history->second, timeline, &TimelineSwitch::timeline);
    return fork != history->second.end() &&
           newest->second <= fork->switch_lsn.value / archive_.segment_size;
  }

  void add_branch(Timeline timeline, const std::vector<Path>& paths) {
    MapBranch branch{.timeline = timeline, .latest = timeline == latest_};
    branch.archive_begin =
        start_lsn_of(result_.backups[paths.front().index].backup, archive_.segment_size);
    for (const auto& path : paths) {
      const auto& lineage = path.lineage;
      if (lineage.switches.size() > branch.switches.size()) branch.switches = lineage.switches;
      branch.archive_begin =
          std::min(branch.archive_begin,
                   start_lsn_of(result_.backups[path.index].backup, archive_.segment_size));
      if (lineage.archive_end >= branch.archive_end) {
        branch.archive_end = lineage.archive_end;
        branch.newest = newest_segment(lineage);
      }
      branch.gaps.insert(branch.gaps.end(), lineage.gaps.begin(), lineage.gaps.end());
      add_problems(branch, lineage.problems);
      add_window(branch, path);
    }
    branch.gaps = merged(std::move(branch.gaps));
    for (auto& window : branch.windows) bound_end(window, paths);
    std::vector<const MappedBackup*> backups;
    backups.reserve(paths.size());
    for (const auto& path : paths) backups.push_back(&result_.backups[path.index]);
    find_losses(branch, backups, archive_);
    result_.branches.push_back(std::move(branch));
  }

  [[nodiscard]] WalSegment newest_segment(const WalLineage& lineage) const {
    WalSegment newest{.number = lineage.archive_end.value / archive_.segment_size};
    if (newest.number > 0) --newest.number;
    for (const auto& range : lineage.required) {
      if (range.first <= newest.number) newest.timeline = range.timeline;
    }
    return newest;
  }

  static void add_problems(MapBranch& branch, const std::vector<LineageProblem>& problems) {
    for (const auto& problem : problems) {
      const auto same = [&](const auto& known) {
        return known.kind == problem.kind && known.object == problem.object;
      };
      if (std::ranges::none_of(branch.problems, same)) branch.problems.push_back(problem);
    }
  }

  // Paths are ordered oldest backup first, so a window only grows at its end.
  void add_window(MapBranch& branch, const Path& path) {
    const auto& each = result_.backups[path.index];
    const auto& lineage = path.lineage;
    const auto begin = end_lsn_of(each.backup, archive_.segment_size);
    const auto end = reachable_end(lineage);
    if (!each.usable() || !lineage.last_reachable || end < begin) return;
    if (!branch.windows.empty() && begin <= branch.windows.back().end.lsn) {
      auto& window = branch.windows.back();
      window.backups.push_back(each.backup.label);
      if (end <= window.end.lsn) return;
      window.end.lsn = end;
      window.last = *lineage.last_reachable;
      return;
    }
    branch.windows.push_back(
        {.begin = {.lsn = begin, .time = first_target_after(each.backup.stop_time)},
         .end = {.lsn = end},
         .last = *lineage.last_reachable,
         .backups = {each.backup.label}});
  }

  // Replay of an older timeline past a switch is not part of this timeline's history.
  [[nodiscard]] static Lsn reachable_end(const WalLineage& lineage) {
    auto end = lineage.reachable_end;
    for (const auto& fork : lineage.switches) {
      if (lineage.last_reachable && lineage.last_reachable->timeline <= fork.timeline) {
        end = std::min(end, fork.switch_lsn);
      }
    }
    return end;
  }

  // Written after its last backup ended, and before the next backup began.
  void bound_end(MapWindow& window, const std::vector<Path>& paths) const {
    auto& end = window.end;
    end.not_after = archive_.listed_at;
    for (const auto& path : paths) {
      const auto& backup = result_.backups[path.index].backup;
      if (start_lsn_of(backup, archive_.segment_size) >= end.lsn) {
        end.not_after = std::min(*end.not_after, backup.start_time);
      } else if (end_lsn_of(backup, archive_.segment_size) <= end.lsn) {
        end.not_before = std::max(end.not_before.value_or(backup.stop_time), backup.stop_time);
      }
    }
  }

  void note_unreachable() {
    std::set<Timeline> reached;
    for (const auto& [timeline, paths] : paths_) {
      reached.insert(timeline);
      for (const auto& path : paths) {
        for (const auto& range : path.lineage.required) reached.insert(range.timeline);
        for (const auto& fork : path.lineage.switches) reached.insert(fork.timeline);
      }
    }
    // WAL older than every backup is about to expire.
    Timeline oldest = reached.empty() ? 0 : *reached.begin();
    for (const auto& range : archived_ranges(archive_)) {
      if (range.timeline >= oldest && !reached.contains(range.timeline)) {
        result_.unreachable.push_back(range);
      }
    }
  }

  const ArchiveListing& archive_;
  ArchiveIndex index_;
  const ArchiveDamage& damage_;
  MapArchive result_;
  std::map<Timeline, std::uint64_t> newest_;  // number of the newest segment
  std::map<Timeline, std::vector<Path>> paths_;
  Timeline latest_ = 0;  // where recovery of the newest backup to `latest` ends
};

}  // namespace

bool MapArchive::continuous() const {
  const auto blocks = [](const auto& problem) { return problem.blocks; };
  return !branches.empty() && unreachable.empty() &&
         std::ranges::all_of(backups, [](const auto& each) { return each.usable(); }) &&
         std::ranges::all_of(branches, [&](const auto& branch) {
           return branch.losses.empty() && branch.gaps.empty() &&
                  std::ranges::none_of(branch.problems, blocks);
         });
}

MapArchive map_archive(std::span<const Backup> backups, const ArchiveListing& archive,
                       const ArchiveDamage& damage) {
  return ArchiveMapper(backups, archive, damage).build();
}

std::vector<WalRange> archived_ranges(const ArchiveListing& archive) {
  std::vector<WalRange> ranges;
  for (const auto& file : archive.segments) {
    const auto& segment = file.segment;
    if (!ranges.empty() && ranges.back().timeline == segment.timeline &&
        segment.number <= ranges.back().last + 1) {
      ranges.back().last = std::max(ranges.back().last, segment.number);
    } else {
      ranges.push_back({segment.timeline, segment.number, segment.number});
    }
  }
  return ranges;
}

MapVerdict verdict_of(const RecoveryMap& map) {
  const auto whole = [](const auto& archive) { return archive.continuous(); };
  if (map.archives.empty() || !std::ranges::all_of(map.archives, whole)) return MapVerdict::damaged;
  return map.unknown.empty() ? MapVerdict::continuous : MapVerdict::unknown;
}

}  // namespace pgrehearse
