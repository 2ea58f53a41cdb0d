// What a drill works with. The wiring chooses the concrete classes.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/drill/command_recorder.hpp"
#include "harness/drill/pause_point.hpp"
#include "harness/drill/progress.hpp"
#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/primary/primary.hpp"
#include "harness/report/run_store.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/check_description.hpp"

namespace pgrehearse {

struct LandedContext;  // harness/drill/check_context.hpp

// Uses the instance at the landing, before the checks. An Error ends the drill.
using AtLanding = std::function<void(const LandedContext& context, Report& report)>;

using AfterPausePoint = std::function<void(const Sandbox& sandbox, const PausePoint& point)>;

// All references outlive the drill.
struct DrillServices {
  CommandRecorder& commands;
  Provisioner* provisioner = nullptr;  // nullptr: the drill runs elsewhere
  BackupRepository& repository;
  Primary* primary = nullptr;  // nullptr when the scenario names none
  std::span<const CheckDescription> checks;
  RunStore& store;
  ProgressListener& progress;
  std::filesystem::path state;
  std::function<Instant()> now;
  std::string run_id;
  std::string host;
  std::string version;
  // Whether a stop request means that the drill timed out; empty: it never does.
  std::function<bool()> timed_out = {};
  // Ask for pause points in addition to the checks. They outlive the drill.
  std::vector<PausePointVisitor*> pause_point_visitors = {};
  AtLanding at_landing = {};
  // Called after the visitors of a pause point, where the instance is paused.
  AfterPausePoint after_pause_point = {};
  // The target is an LSN, exclusive: recover to it as a standby, which continues from each pause
  // point without a restart.
  bool stay_standby = false;
  // nullptr: replay gets all WAL from the archive.
  const FetchedWal* fetched = nullptr;
};

}  // namespace pgrehearse
