#include "harness/map/map_branches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace pgrehearse {

namespace {

std::string reason_of(const MapBranch& branch, const MapLoss& loss, std::uint64_t size) {
  if (!loss.gaps.empty()) {
    const auto& gap = loss.gaps.front();
    std::uint64_t missing = 0;
    for (const auto& each : loss.gaps) missing += each.count();
    const auto name = file_name(gap.first_segment(), size);
    if (missing == 1) return fmt::format("segment {} is missing", name);
    return fmt::format("{} segments are missing, the first is {}", missing, name);
  }
  for (const auto& problem : branch.problems) {
    const bool unusable = problem.kind == LineageProblemKind::duplicate ||
                          problem.kind == LineageProblemKind::damaged ||
                          problem.kind == LineageProblemKind::wrong_size;
    const auto segment = parse_wal_segment(problem.object.substr(0, 24), size);
    if (unusable && segment && start_of(*segment, size) >= loss.begin.lsn &&
        start_of(*segment, size) < loss.end.lsn) {
      return problem.message;
    }
  }
  return "no set that can be restored lies before it";
}

void add_loss(MapBranch& branch, MapLoss loss, const std::vector<const MappedSet*>& sets,
              std::uint64_t size) {
  for (const auto& gap : branch.gaps) {
    const bool inside = start_of(gap.first_segment(), size) < loss.end.lsn &&
                        Lsn{(gap.last + 1) * size} > loss.begin.lsn;
    if (inside) loss.gaps.push_back(gap);
  }
  for (const auto* set : sets) {
    const auto end = end_lsn_of(set->backup, size);
    if (!set->usable() && end >= loss.begin.lsn && end <= loss.end.lsn) {
      loss.sets.push_back(set->backup.label);
    }
  }
  loss.reason = reason_of(branch, loss, size);
  branch.losses.push_back(std::move(loss));
}

// Each timeline on the way with the place where it ends; the last one is open.
std::map<Timeline, Lsn> line_of(Timeline timeline, const ArchiveListing& archive) {
  std::map<Timeline, Lsn> line{{timeline, Lsn{~std::uint64_t{0}}}};
  const auto history = archive.histories.find(timeline);
  if (history == archive.histories.end()) return line;
  for (const auto& ancestor : history->second) line[ancestor.timeline] = ancestor.switch_lsn;
  return line;
}

// Where two timelines part: the newest place that both have.
std::optional<Lsn> fork_of(Timeline branch, Timeline main, const ArchiveListing& archive) {
  const auto other = line_of(main, archive);
  std::optional<Lsn> fork;
  for (const auto& [timeline, end] : line_of(branch, archive)) {
    const auto same = other.find(timeline);
    if (same == other.end()) continue;
    const auto common = std::min(end, same->second);
    if (!fork || common > *fork) fork = common;
  }
  return fork;
}

void clip(MapBranch& branch, Lsn fork, const ArchiveListing& archive) {
  const auto clipped = [&](MapPoint& begin) {
    if (begin.lsn >= fork) return;
    begin = {.lsn = fork, .not_before = begin.time, .not_after = archive.listed_at};
  };
  std::erase_if(branch.stretches, [&](const auto& each) { return each.end.lsn <= fork; });
  std::erase_if(branch.losses, [&](const auto& each) { return each.end.lsn <= fork; });
  std::erase_if(branch.gaps, [&](const auto& gap) {
    return Lsn{(gap.last + 1) * archive.segment_size} <= fork;
  });
  for (auto& stretch : branch.stretches) clipped(stretch.begin);
  for (auto& loss : branch.losses) clipped(loss.begin);
  branch.archive_begin = std::max(branch.archive_begin, fork);
}

}  // namespace

Instant first_target_after(Instant stop) {
  return std::chrono::floor<std::chrono::seconds>(stop) + std::chrono::seconds(1);
}

Lsn start_lsn_of(const Backup& backup, std::uint64_t segment_size) {
  const auto start = parse_wal_segment(backup.start_segment, segment_size);
  return start ? start_of(*start, segment_size) : Lsn{};
}

Lsn end_lsn_of(const Backup& backup, std::uint64_t segment_size) {
  if (backup.stop_lsn) return *backup.stop_lsn;
  const auto stop = parse_wal_segment(backup.stop_segment, segment_size);
  if (!stop) return start_lsn_of(backup, segment_size);
  return start_of({.timeline = stop->timeline, .number = stop->number + 1}, segment_size);
}

void find_losses(MapBranch& branch, const std::vector<const MappedSet*>& sets,
                 const ArchiveListing& archive) {
  const auto size = archive.segment_size;
  std::optional<MapPoint> since;
  for (const auto* set : sets) {
    const auto begin = end_lsn_of(set->backup, size);
    const bool first = branch.stretches.empty() || begin < branch.stretches.front().begin.lsn;
    if (set->usable() || !first) continue;
    since = MapPoint{.lsn = begin, .time = first_target_after(set->backup.stop_time)};
    break;
  }
  for (const auto& stretch : branch.stretches) {
    if (since) {
      add_loss(branch, {.begin = *since, .end = stretch.begin, .ended_by_set = true}, sets, size);
    }
    since = stretch.end;
  }
  if (!since) return;
  auto end = branch.archive_end;
  for (const auto* set : sets) end = std::max(end, end_lsn_of(set->backup, size));
  if (end <= since->lsn) return;
  const MapPoint last{.lsn = end,
                      .not_before = since->time ? since->time : since->not_before,
                      .not_after = archive.listed_at};
  add_loss(branch, {.begin = *since, .end = last}, sets, size);
}

void clip_to_latest(MapArchive& map, const ArchiveListing& archive) {
  if (map.branches.empty()) return;
  const auto main = map.branches.front().timeline;
  for (auto& branch : map.branches) {
    const auto fork = branch.latest ? std::nullopt : fork_of(branch.timeline, main, archive);
    if (fork) clip(branch, *fork, archive);
  }
  std::erase_if(map.branches, [](const auto& branch) {
    return !branch.latest && branch.stretches.empty() && branch.losses.empty();
  });
}

}  // namespace pgrehearse
