#include "harness/copies/target_stops.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/drill/check_context.hpp"
#include "harness/drill/check_runner.hpp"
#include "harness/drill/recovery/replay_locks.hpp"

namespace pgrehearse {

TargetStops::TargetStops(std::vector<TargetStop> stops, Actions actions)
    : stops_(std::move(stops)), actions_(std::move(actions)) {
  for (const auto& stop : stops_) {
    records_.push_back(
        {.target = stop.name,
         .landing = {
             .asked = stop.name, .lsn = {}, .proof = "recovery ended before it came here"}});
  }
}

std::vector<PausePoint> TargetStops::pause_points(const RepositoryContext& /*context*/) {
  std::vector<PausePoint> points;
  for (const auto& stop : stops_) points.push_back({.lsn = stop.lsn});
  return points;
}

std::size_t TargetStops::index_of(const PausePoint& point) const {
  const auto found = std::ranges::find(stops_, point.lsn, &TargetStop::lsn);
  return static_cast<std::size_t>(found - stops_.begin());
}

StopRecord* TargetStops::record_at(const PausePoint& point) {
  const auto index = index_of(point);
  return index < records_.size() && records_[index].reached ? &records_[index] : nullptr;
}

void TargetStops::add_check(const std::string& name, Verdict verdict, const std::string& summary) {
  checks_.push_back({.name = name,
                     .check = "landing",
                     .verdict = verdict,
                     .state = std::string(name_of(InstanceState::paused)),
                     .summary = summary});
}

void TargetStops::at_pause_point(const InstanceContext& context, const PausePoint& point) {
  // Two targets can be one position.
  for (std::size_t index = index_of(point); index < stops_.size() && stops_[index].lsn == point.lsn;
       ++index) {
    const auto& stop = stops_[index];
    auto& record = records_[index];
    auto& session = context.session();
    const auto rows =
        session.query("select pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()");
    auto& landing = record.landing;
    landing.lsn = parse_lsn(rows.text(0, 0));
    landing.timeline = context.control.checkpoint_timeline;
    landing.last_applied = stop.last_applied;
    landing.first_withheld = stop.first_withheld;
    landing.time = stop.last_applied && stop.last_applied->time ? stop.last_applied->time
                                                                : parse_instant(rows.text(0, 1));
    record.reached = true;
    landing.proved = landing.lsn && *landing.lsn <= stop.lsn;
    landing.proof =
        fmt::format("replayed to {}; no WAL was supplied from {} on",
                    landing.lsn ? to_text(*landing.lsn) : "an unknown position", to_text(stop.lsn));
    const auto locked = relations_locked_by_replay(session);
    if (!locked.empty()) {
      landing.proof +=
          fmt::format("; a transaction that had not committed here holds locks on {}", locked);
    }
    add_check("landing at " + stop.name, landing.proved ? Verdict::pass : Verdict::fail,
              landing.proof);
    run_checks_at(context, landing, stop.name);
    if (!actions_.dump) continue;
    try {
      record.dumps = actions_.dump(context.sandbox, index + 1, context.stop);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      add_check("dump at " + stop.name, Verdict::unknown, error.what());
    }
  }
}

void TargetStops::run_checks_at(const InstanceContext& context, const Landing& landing,
                                const std::string& name) {
  if (actions_.requests.empty()) return;
  Scenario scenario{.name = context.scenario.name, .checks = actions_.requests};
  auto planned = plan_checks(scenario, actions_.checks);
  std::erase_if(planned, [&](const PlannedCheck& each) {
    return each.state != InstanceState::paused ||
           std::ranges::none_of(actions_.requests, [&](const auto& request) {
             return request.name == each.request.name;
           });
  });
  const DataLoss loss;
  const LandedContext landed{context, landing, loss};
  for (auto& finished :
       run_checks(planned, InstanceState::paused, landed, 2, [](const CheckRecord&) {})) {
    finished.record.name += " at " + name;
    checks_.push_back(std::move(finished.record));
  }
}

void TargetStops::pause_point_unreachable(const PausePoint& point, const std::string& reason) {
  for (std::size_t index = index_of(point); index < stops_.size() && stops_[index].lsn == point.lsn;
       ++index) {
    records_[index].landing.proof = reason;
    add_check("landing at " + stops_[index].name, Verdict::fail, reason);
  }
}

void TargetStops::failed(const Error& error) {
  add_check("targets on the way", Verdict::unknown, error.what());
}

void TargetStops::add_to(Report& report) const {
  report.stops = records_;
  report.checks.insert(report.checks.begin(), checks_.begin(), checks_.end());
}

}  // namespace pgrehearse
