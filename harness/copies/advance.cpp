#include "harness/copies/advance.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/drill/recovery/landing_proof.hpp"
#include "harness/drill/recovery/recovery.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/instance_sessions.hpp"

namespace pgrehearse {

namespace {

struct Position {
  bool in_recovery = false;
  Lsn lsn;
  std::optional<Instant> newest;
};

Position position_of(Sandbox& sandbox, const std::stop_token& stop) {
  const auto rows = InstanceSessions(sandbox)
                        .open({}, ErrorKind::startup, stop)
                        .query(
                            "select pg_is_in_recovery(), pg_last_wal_replay_lsn(), "
                            "pg_last_xact_replay_timestamp()");
  return {.in_recovery = rows.text(0, 0) == "t",
          .lsn = parse_lsn(rows.text(0, 1)).value_or(Lsn{}),
          .newest = parse_instant(rows.text(0, 2))};
}

void require_later(const RecoveryTarget& target, const Position& position) {
  if (!position.in_recovery) {
    throw Error(ErrorKind::usage, "the copy is open: replay ended when it was promoted",
                "recover to the later target again with 'pgrehearse recover'");
  }
  const bool past = (target.lsn && *target.lsn < position.lsn) ||
                    (target.time && position.newest && *target.time < *position.newest);
  if (!past && target.type != TargetType::immediate) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("the copy is already at {}, after {}", to_text(position.lsn), to_text(target)),
      "replay only goes forward: recover again with 'pgrehearse recover'");
}

}  // namespace

void stop_server(Sandbox& sandbox, const std::stop_token& stop) {
  const auto result = sandbox.run(
      {.program = sandbox.program("pg_ctl"),
       .arguments = {"stop", "-D", sandbox.paths().data, "-m", "fast", "-w", "-t", "600"},
       .timeout = std::chrono::minutes(11)},
      stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return;
  throw Error(ErrorKind::startup, "the copy did not stop: " + result.error_output,
              "see logs/postgresql.log of the copy", FindingCode::shutdown_failed);
}

Landing advance_copy(const AdvanceRequest& request, const std::stop_token& stop) {
  auto& sandbox = request.sandbox;
  const auto position = position_of(sandbox, stop);
  require_later(request.target, position);
  stop_server(sandbox, stop);
  const auto opened = sandbox.run(
      {.program = "rm", .arguments = {"-f", closed_archive_marker(sandbox.paths())}}, stop);
  throw_if_cancelled(opened);
  const bool standby = request.target.type == TargetType::latest;
  // Otherwise the server would promote itself at the end of the archive.
  if (standby) sandbox.write_file(sandbox.paths().data / "standby.signal", "");
  Instance instance(sandbox, request.log);
  const auto outcome =
      recover({.sandbox = sandbox,
               .instance = instance,
               .repository = request.repository,
               .backup = request.backup,
               .target = request.target,
               .control = read_control_data(sandbox, sandbox.paths().data, stop),
               .expected_end = request.target.lsn.value_or(request.lineage.reachable_end),
               .on_progress = request.on_progress,
               .resume_from = position.lsn,
               .standby = standby},
              stop);
  auto landing = prove_landing({.sandbox = sandbox,
                                .repository = request.repository,
                                .backup = request.backup,
                                .target = request.target,
                                .recovery = outcome,
                                .lineage = request.lineage},
                               stop);
  landing.promoted_because = outcome.promoted_because;
  instance.leave_running();
  return landing;
}

}  // namespace pgrehearse
