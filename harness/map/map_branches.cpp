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
  return "no usable backup precedes it";
}

void add_loss(MapBranch& branch, MapLoss loss, const std::vector<const MappedBackup*>& backups,
              std::uint64_t size) {
  for (const auto& gap : branch.gaps) {
    const bool inside = start_of(gap.first_segment(), size) < loss.end.lsn &&
                        Lsn{(gap.last + 1) * size} > loss.begin.lsn;
    if (inside) loss.gaps.push_back(gap);
  }
  for (const auto* mapped : backups) {
    const auto end = end_lsn_of(mapped->backup, size);
    if (!mapped->usable() && end >= loss.begin.lsn && end <= loss.end.lsn) {
      loss.unusable_backups.push_back(mapped->backup.label);
    }
  }
  loss.reason = reason_of(branch, loss, size);
  order_times(loss);
  branch.losses.push_back(std::move(loss));
}

// A timeline and its ancestors, each with the position where it ends; the last one is open.
std::map<Timeline, Lsn> ancestry_of(Timeline timeline, const ArchiveListing& archive) {
  std::map<Timeline, Lsn> ancestry{{timeline, Lsn{~std::uint64_t{0}}}};
  const auto history = archive.histories.find(timeline);
  if (history == archive.histories.end()) return ancestry;
  for (const auto& ancestor : history->second) ancestry[ancestor.timeline] = ancestor.switch_lsn;
  return ancestry;
}

// Where two timelines diverge: the newest position that both have.
std::optional<Lsn> fork_of(Timeline branch, Timeline main, const ArchiveListing& archive) {
  const auto other = ancestry_of(main, archive);
  std::optional<Lsn> fork;
  for (const auto& [timeline, end] : ancestry_of(branch, archive)) {
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
  std::erase_if(branch.windows, [&](const auto& each) { return each.end.lsn <= fork; });
  std::erase_if(branch.losses, [&](const auto& each) { return each.end.lsn <= fork; });
  std::erase_if(branch.gaps, [&](const auto& gap) {
    return Lsn{(gap.last + 1) * archive.segment_size} <= fork;
  });
  for (auto& window : branch.windows) clipped(window.begin);
  for (auto& loss : branch.losses) {
    clipped(loss.begin);
    order_times(loss);
  }
  branch.archive_begin = std::max(branch.archive_begin, fork);
}

}  // namespace

Instant first_target_after(Instant stop) {
  return std::chrono::floor<std::chrono::seconds>(stop) + std::chrono::seconds(1);
}

void order_times(MapLoss& loss) {
  const auto begin = loss.begin.time ? loss.begin.time : loss.begin.not_before;
  if (!begin) return;
  auto& end = loss.end;
  if (end.time && *end.time < *begin) end.time.reset();
  if (end.time) return;
  end.not_before = std::max(end.not_before.value_or(*begin), *begin);
  if (end.not_after && *end.not_after < *end.not_before) end.not_after.reset();
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

void find_losses(MapBranch& branch, const std::vector<const MappedBackup*>& backups,
                 const ArchiveListing& archive) {
  const auto size = archive.segment_size;
  std::optional<MapPoint> since;
  for (const auto* mapped : backups) {
    const auto begin = end_lsn_of(mapped->backup, size);
    const bool first = branch.windows.empty() || begin < branch.windows.front().begin.lsn;
    if (mapped->usable() || !first) continue;
    since = MapPoint{.lsn = begin, .time = first_target_after(mapped->backup.stop_time)};
    break;
  }
  for (const auto& window : branch.windows) {
    if (since) {
      add_loss(branch, {.begin = *since, .end = window.begin, .ended_by_backup = true}, backups,
               size);
    }
    since = window.end;
  }
  if (!since) return;
  auto end = branch.archive_end;
  for (const auto* mapped : backups) end = std::max(end, end_lsn_of(mapped->backup, size));
  if (end <= since->lsn) return;
  const MapPoint last{.lsn = end,
                      .not_before = since->time ? since->time : since->not_before,
                      .not_after = archive.listed_at};
  add_loss(branch, {.begin = *since, .end = last}, backups, size);
}

void clip_to_latest(MapArchive& map, const ArchiveListing& archive) {
  if (map.branches.empty()) return;
  const auto main = map.branches.front().timeline;
  for (auto& branch : map.branches) {
    const auto fork = branch.latest ? std::nullopt : fork_of(branch.timeline, main, archive);
    if (fork) clip(branch, *fork, archive);
  }
  std::erase_if(map.branches, [](const auto& branch) {
    return !branch.latest && branch.windows.empty() && branch.losses.empty();
  });
}

}  // namespace pgrehearse
