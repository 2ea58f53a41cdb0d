#include "harness/cli/recovery_outlook.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/locate/target_words.hpp"
#include "harness/map/build_map.hpp"
#include "harness/map/map_edges.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

// Segments from the backup's first to the target, if the target's position is known.
std::string wal_needed(const RecoveryTarget& target, const Preparation& preparation) {
  const auto& lineage = *preparation.lineage;
  if (target.type != TargetType::lsn) {
    return fmt::format("{}{} segments ({} in the repository), timeline {}, up to {}",
                       target.type == TargetType::latest ? "" : "at most ", lineage.required_count,
                       to_text(lineage.required_bytes), lineage.timeline,
                       to_text(lineage.reachable_end));
  }
  const auto last = target.lsn->value / preparation.segment_size;
  std::uint64_t count = 0;
  for (const auto& range : lineage.required) {
    if (range.first <= last) count += std::min(range.last, last) - range.first + 1;
  }
  return fmt::format("{} segments, timeline {}, up to {}", count, lineage.timeline,
                     to_text(*target.lsn));
}

std::string expected_time(const Scenario& scenario, const CommonOptions& common) {
  const auto last = RunStore(common.state).newest_passed(scenario.name, scenario.repository.stanza);
  if (!last) return "unknown: no drill of this stanza has passed";
  double seconds = 0;
  for (const auto& phase : last->phases) seconds += phase.seconds;
  return fmt::format("about {} (as in {}, the last drill that passed)", to_text(Seconds(seconds)),
                     last->id);
}

// The end of the window that recovery from this backup can reach.
const MapWindow* window_of(const RecoveryMap& map, const Preparation& preparation) {
  const auto& backup = preparation.choice->backup;
  for (const auto& archive : map.archives) {
    if (archive.id != preparation.archive.id || archive.repository_key != backup.repository_key) {
      continue;
    }
    for (const auto& branch : archive.branches) {
      if (branch.timeline != preparation.lineage->timeline) continue;
      for (const auto& window : branch.windows) {
        if (std::ranges::find(window.backups, backup.label) != window.backups.end()) {
          return &window;
        }
      }
    }
  }
  return nullptr;
}

struct Reach {
  std::string text;
  std::string unreachable = {};
};

Reach reach_time(const RecoveryTarget& target, const TimeZone& zone, const MapWindow* window) {
  if (window == nullptr || !window->end.time) {
    return {fmt::format("not known before recovery: {}", window != nullptr && !window->note.empty()
                                                             ? window->note
                                                             : "the WAL was not read")};
  }
  // PostgreSQL needs a commit after the target to stop there.
  const bool inside =
      target.exclusive ? *target.time <= *window->end.time : *target.time < *window->end.time;
  const auto newest =
      fmt::format("the newest recoverable commit is at {}", in_both_zones(*window->end.time, zone));
  if (inside) return {"yes: " + newest};
  return {"no: " + newest, newest};
}

Reach reach(const RecoveryTarget& target, const TimeZone& zone, const Preparation& preparation,
            const MapWindow* window) {
  const auto& lineage = *preparation.lineage;
  switch (target.type) {
    case TargetType::latest:
    case TargetType::immediate:
      if (const auto problem = preparation.wal_problem()) return {"no: " + *problem, *problem};
      return {"yes"};
    case TargetType::time:
      return reach_time(target, zone, window);
    case TargetType::lsn: {
      const auto end =
          fmt::format("the recoverable WAL ends at {}", to_text(lineage.reachable_end));
      if (*target.lsn < lineage.reachable_end) return {"yes: " + end};
      return {"no: " + end, end};
    }
    case TargetType::xid:
    case TargetType::name:
      return {"known only when recovery has found it in the WAL"};
  }
  return {};
}

const MapWindow* read_window(const Scenario& scenario, const ScenarioParts& parts,
                             const Preparation& preparation, RecoveryMap& map,
                             const std::stop_token& stop) {
  if (scenario.target.type != TargetType::time) return nullptr;
  map = build_map(scenario.repository, *parts.repository, MapReading::list, stop);
  auto sandbox = scenario.sandbox;
  sandbox.run_id = new_run_id();
  sandbox.scenario = scenario.name;
  read_edges(map, {*parts.repository, parts.provisioner.get(), sandbox}, stop);
  return window_of(map, preparation);
}

}  // namespace

RecoveryOutlook look_ahead(const Scenario& scenario, const ScenarioParts& parts,
                           const Preparation& preparation, const TimeZone& zone,
                           const CommonOptions& common, const std::stop_token& stop) {
  const auto& [backup, reason] = *preparation.choice;
  RecoveryMap map;
  const auto* window = read_window(scenario, parts, preparation, map, stop);
  const auto reachable = reach(scenario.target, zone, preparation, window);
  RecoveryOutlook outlook{.unreachable = reachable.unreachable};
  const auto add = [&](std::string label, std::string text) {
    outlook.lines.emplace_back(std::move(label), std::move(text));
  };
  add("target", in_words(scenario.target, zone));
  add("backup", fmt::format("{} ({}, {}), ended {}", backup.label, name_of(backup.type),
                            to_text(backup.size), in_both_zones(backup.stop_time, zone)));
  add("", reason);
  if (!scenario.repository.databases.empty()) {
    add("", fmt::format("partial restore: only {}", join(scenario.repository.databases, ", ")));
  }
  add("WAL", wal_needed(scenario.target, preparation));
  add("reachable", reachable.text);
  add("space", fmt::format("{} in a {} sandbox", to_text(preparation.required_space()),
                           scenario.sandbox.type));
  add("time", expected_time(scenario, common));
  return outlook;
}

void print(const RecoveryOutlook& outlook, std::ostream& out) {
  for (const auto& [label, text] : outlook.lines) {
    out << fmt::format("  {:<10} {}\n", label, printable(text));
  }
  out.flush();
}

}  // namespace pgrehearse
