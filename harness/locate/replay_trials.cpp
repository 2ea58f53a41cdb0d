#include "harness/locate/replay_trials.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/drill/recovery/recovery.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/wal_fetch.hpp"

namespace pgrehearse {

ReplayTrials::ReplayTrials(Parts parts, TrialQuestion question, std::stop_token stop)
    : parts_(std::move(parts)),
      question_(std::move(question)),
      stop_(std::move(stop)),
      saved_(parts_.position) {}

void ReplayTrials::run(std::string program, std::vector<std::string> arguments) {
  const auto result = parts_.sandbox.run({.program = std::move(program),
                                          .arguments = std::move(arguments),
                                          .timeout = std::chrono::hours(12)},
                                         stop_);
  throw_if_cancelled(result);
  if (result.succeeded()) return;
  throw Error(ErrorKind::environment,
              fmt::format("the copy's files could not be saved: {}", error_excerpt(result)),
              "the search needs twice the space of the database where the file system cannot clone "
              "files; xfs and btrfs can",
              FindingCode::env_disk_full, parts_.sandbox.paths().root);
}

// Space is shared with the original where the file system can clone files.
void ReplayTrials::save() {
  const auto& paths = parts_.sandbox.paths();
  const auto saved = paths.root / "saved";
  parts_.instance.stop(stop_);
  run("rm", {"-rf", saved});
  run("mkdir", {"-m", "0700", saved});
  run("cp", {"-a", "--reflink=auto", paths.data, paths.tablespaces, saved});
  at_saved_ = true;
}

void ReplayTrials::restore_saved() {
  if (at_saved_) return;
  const auto& paths = parts_.sandbox.paths();
  const auto saved = paths.root / "saved";
  parts_.instance.kill();
  run("rm", {"-rf", paths.data, paths.tablespaces, closed_archive_marker(paths)});
  run("cp", {"-a", "--reflink=auto", saved / paths.data.filename(),
             saved / paths.tablespaces.filename(), paths.root});
  promoted_ = false;
  at_saved_ = true;
}

bool ReplayTrials::evaluate_once() {
  auto connection = parts_.instance.connect(question_.database, ErrorKind::recovery, stop_);
  connection.query("set default_transaction_read_only = on");
  try {
    const auto rows = connection.query(question_.sql);
    return !rows.rows.empty() && !rows.columns.empty() && rows.text(0, 0) == "t";
  } catch (const SqlError& error) {
    constexpr std::string_view undefined_table = "42P01";
    constexpr std::string_view undefined_schema = "3F000";
    if (error.sqlstate() == undefined_table || error.sqlstate() == undefined_schema) return false;
    throw;
  }
}

// A transaction in progress may hold a lock that replay never releases while it is paused.
bool ReplayTrials::evaluate() {
  ++trials_;
  const auto databases = parts_.instance.databases(stop_);
  if (std::find(databases.begin(), databases.end(), question_.database) == databases.end()) {
    return false;
  }
  try {
    return evaluate_once();
  } catch (const SqlError& error) {
    constexpr std::string_view lock_not_available = "55P03";
    if (error.sqlstate() != lock_not_available) {
      throw Error(ErrorKind::usage, fmt::format("the query failed: {}", error.what()),
                  "write names with their schema, for example sales.orders");
    }
  }
  parts_.instance.promote(stop_);
  promoted_ = true;
  return evaluate_once();
}

bool ReplayTrials::holds_here() {
  const bool holds = evaluate();
  if (holds) save();
  return holds;
}

bool ReplayTrials::holds_after(Lsn lsn) {
  restore_saved();
  const RecoveryTarget target{.type = TargetType::lsn, .lsn = lsn};
  at_saved_ = false;
  auto& sandbox = parts_.sandbox;
  const auto outcome = recover({.sandbox = sandbox,
                                .instance = parts_.instance,
                                .repository = parts_.repository,
                                .backup = parts_.backup,
                                .target = target,
                                .control = read_control_data(sandbox, sandbox.paths().data, stop_),
                                .expected_end = lsn,
                                .on_progress = parts_.on_progress,
                                .resume_from = saved_},
                               stop_);
  promoted_ = !outcome.promoted_because.empty();
  const bool holds = evaluate();
  if (holds && !promoted_) {
    save();
    saved_ = outcome.replayed;
  }
  return holds;
}

}  // namespace pgrehearse
