// Can a standby be created from the backup, as Patroni does with pgBackRest, and does it catch up
// with the primary? The only check in which a copy receives data from the primary.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/replica/standby_progress.hpp"
#include "checks/shared/primary_errors.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/drill/recovery/recovery.hpp"
#include "harness/drill/recovery/wal_supply.hpp"
#include "harness/postgres/session_settings.hpp"
#include "harness/primary/streaming_relay.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/second_server.hpp"

namespace pgrehearse {

namespace {

constexpr auto default_timeout = std::chrono::minutes(30);
// Ports name the Unix sockets; 5432 is the drill's, 5433 and 5434 those of patroni_bootstrap.
constexpr int standby_port = 5435;
constexpr int relay_port = 5436;

constexpr std::array keys{
    KeyDescription{.name = "allow_replica",
                   .kind = KeyKind::boolean,
                   .summary =
                       "must be true: the check streams WAL from the primary, which uses one "
                       "of its WAL senders",
                   .example = "true",
                   .default_value = "false"},
    KeyDescription{.name = "timeout",
                   .kind = KeyKind::duration,
                   .summary = "time limit from the start of the standby until it has caught up",
                   .example = "1h",
                   .default_value = "30min"},
};

// The standby's own directory below the sandbox's root. Removed at the end.
class StandbyDirectory {
 public:
  StandbyDirectory(Sandbox& sandbox, const std::stop_token& stop)
      : sandbox_(sandbox), paths_(sandbox.paths()) {
    paths_.root = sandbox.paths().root / "replica";
    paths_.data = paths_.root / "data";
    paths_.tablespaces = paths_.root / "tablespaces";
    paths_.configuration = paths_.root / "configuration";
    const auto result =
        sandbox.run({.program = "mkdir",
                     .arguments = {"-m", "0700", paths_.root.string(), paths_.data.string(),
                                   paths_.tablespaces.string(), paths_.configuration.string()}},
                    stop);
    throw_if_cancelled(result);
    if (result.succeeded()) return;
    throw Error(ErrorKind::environment, "cannot create a directory: " + result.error_output,
                "only one `replica` check can run in a drill", FindingCode::env_directory,
                paths_.root.string());
  }
  StandbyDirectory(const StandbyDirectory&) = delete;
  StandbyDirectory& operator=(const StandbyDirectory&) = delete;
  ~StandbyDirectory() {
    try {
      sandbox_.run({.program = "rm", .arguments = {"-rf", "--", paths_.root.string()}}, {});
    } catch (const std::exception&) {
      // Removed with the sandbox.
    }
  }
  [[nodiscard]] const SandboxPaths& paths() const { return paths_; }

 private:
  Sandbox& sandbox_;
  SandboxPaths paths_;
};

void require_space(const StoppedContext& context) {
  constexpr std::uint64_t reserve = std::uint64_t{1} << 30U;  // WAL
  const Bytes needed{context.backup.size.count + reserve};
  const auto free = context.sandbox.free_space();
  if (free.count >= needed.count) return;
  throw Error(ErrorKind::environment,
              fmt::format("the standby needs {} on the disk of the sandbox, {} are free",
                          to_text(needed), to_text(free)),
              "set sandbox.directory to a larger disk", FindingCode::env_disk_full,
              context.sandbox.paths().root.string());
}

// What the server that is streamed from has written or, if it is a standby, replayed.
Lsn position_of(Connection& connection) {
  const auto rows = connection.query(
      "select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() "
      "else pg_catalog.pg_current_wal_lsn() end");
  return parse_lsn(rows.text(0, 0)).value_or(Lsn{});
}

class Replica : public StoppedCheck {
 public:
  explicit Replica(const Settings& settings)
      : timeout_(settings.get_or<std::chrono::milliseconds>("timeout", default_timeout)) {
    allowed_ = settings.get_or("allow_replica", false);
  }

  static void require_consent(const Settings& settings) {
    if (settings.get_or("allow_replica", false)) return;
    throw Error(ErrorKind::usage,
                "the check 'replica' connects to the primary as a standby and streams its WAL",
                "if the primary may be used for this, set replica: { allow_replica: true }");
  }

  void before_stop(const LandedContext& context) override {
    log_ = context.log.parent_path() / "postgresql-replica.log";
  }

  CheckOutcome run(const StoppedContext& context) override {
    if (!allowed_ || context.primary == nullptr) {
      throw Error(ErrorKind::internal, "the check 'replica' needs a primary and permission");
    }
    Lsn target;
    try {
      const auto identity = context.primary->identity(context.stop);
      if (identity.system_identifier != context.control.system_identifier) {
        return failed({.code = FindingCode::replica_stream,
                       .object = identity.member,
                       .message = "the primary is another cluster than the backup: its system "
                                  "identifier differs",
                       .hint = "check primary.dsn and repository.stanza"});
      }
      auto connection = context.primary->connect("", context.stop);
      target = position_of(connection);
    } catch (const SqlError& error) {
      return {.verdict = Verdict::unknown,
              .findings = {primary_trouble(*context.primary,
                                           "the primary's WAL position could not be read", error)},
              .summary = "no standby was created"};
    }
    return rehearse(context, target);
  }

 private:
  CheckOutcome rehearse(const StoppedContext& context, Lsn target) const {
    require_space(context);
    auto& sandbox = context.sandbox;
    const StandbyDirectory directory(sandbox, context.stop);
    SecondServer server(sandbox, directory.paths(), standby_port);
    const auto began = std::chrono::steady_clock::now();
    context.repository.restore(
        context.backup, {}, server, [](const RestoreProgress&) {}, context.stop);
    const Seconds restored(std::chrono::steady_clock::now() - began);
    const auto name = "pgrehearse-" + sandbox.spec().run_id;
    StreamingRelay relay(*context.primary, {.socket = sandbox.paths().sockets /
                                                      fmt::format(".s.PGSQL.{}", relay_port),
                                            .account = find_account(sandbox.spec().account),
                                            .application_name = name});
    Instance instance(server, log_);
    instance.start(prepare(context, server));
    auto progress =
        wait_for_standby(view_of(instance, relay, context.stop), target, timeout_, context.stop);
    instance.kill();
    if (progress.failure) {
      const bool at_start = progress.failure->code == FindingCode::replica_start;
      if (at_start && repository_failed(server)) progress.failure->code = FindingCode::wal_fetch;
      return failed(*progress.failure);
    }
    return {.verdict = Verdict::pass,
            .summary = fmt::format(
                "standby restored in {}, streaming after {}, at {} after {} (the primary was at {} "
                "when the check began)",
                to_text(restored), to_text(Seconds(progress.streaming)), to_text(progress.replayed),
                to_text(Seconds(progress.caught_up)), to_text(target))};
  }

  // The restored data becomes a standby that reads the archive, and streams from where it ends.
  static Quarantine prepare(const StoppedContext& context, SecondServer& server) {
    const auto& paths = server.paths();
    server.write_file(paths.data / "postgresql.auto.conf", "", 0600);
    server.write_file(paths.data / "standby.signal", "", 0600);
    const auto fetch = [&](WalFetch how) {
      return server.fetch_command(context.repository.archive_get(context.backup, server, how),
                                  paths.data);
    };
    server.write_file(
        paths.configuration / "archive-get",
        archive_get_wrapper({.ahead = fetch(WalFetch::single), .single = fetch(WalFetch::single)},
                            wal_supply_files(paths)),
        0600);
    auto quarantine = recovery_quarantine(server, {}, context.control);
    auto& settings = quarantine.command_line;
    settings["port"] = std::to_string(standby_port);
    settings["primary_conninfo"] = fmt::format("host={} port={} user=replication",
                                               quote_setting(paths.sockets.native()), relay_port);
    settings["hot_standby_feedback"] = "off";
    settings["wal_receiver_status_interval"] = "1s";
    // An idle primary sends nothing until it is asked, after half of this time.
    settings["wal_receiver_timeout"] = "20s";
    if (context.backup.postgres_major >= 13) settings["wal_receiver_create_temp_slot"] = "off";
    return quarantine;
  }

  static bool repository_failed(const SecondServer& server) {
    const auto requests =
        parse_wal_requests(server.read_file(wal_supply_files(server.paths()).requests, 0));
    return std::ranges::any_of(requests, [](const auto& each) { return each.exit_code > 1; });
  }

  static StandbyView view_of(Instance& instance, const StreamingRelay& relay,
                             const std::stop_token& stop) {
    return {.ended = [&] { return instance.ended().has_value(); },
            .state = [&instance, &relay, stop] { return state_of(instance, relay, stop); },
            .log_lines = [&] { return instance.log_lines(); },
            .refusal = [&] { return relay.refusal(); }};
  }

  static std::optional<StandbyState> state_of(Instance& instance, const StreamingRelay& relay,
                                              const std::stop_token& stop) {
    if (!instance.wait_until_accepting(std::chrono::milliseconds(0), stop)) return {};
    try {
      const auto rows = instance.connect({}, ErrorKind::recovery, stop)
                            .query(
                                "select pg_last_wal_replay_lsn(), exists (select from "
                                "pg_stat_wal_receiver where status = 'streaming')");
      return StandbyState{.streaming = rows.text(0, 1) == "t" && relay.streams(),
                          .replayed = parse_lsn(rows.text(0, 0))};
    } catch (const SqlError&) {
      return {};
    }
  }

  static CheckOutcome failed(Finding finding) {
    const bool error = severity_of(finding) == Severity::error;
    return {.verdict = error ? Verdict::fail : Verdict::unknown,
            .findings = {std::move(finding)},
            .summary = "no standby caught up with the primary"};
  }

  std::chrono::milliseconds timeout_;
  bool allowed_ = false;
  std::filesystem::path log_;
};

constexpr auto finding_codes = with_primary_errors(std::to_array<FindingCode>({
    FindingCode::replica_start,
    FindingCode::replica_stream,
    FindingCode::replica_behind,
    FindingCode::replica_refused,
    FindingCode::wal_fetch,
}));

}  // namespace

CheckDescription replica_check() {
  return {.name = "replica",
          .summary = "a standby created from the backup catches up with the primary by streaming",
          .finds = finding_codes,
          .state = InstanceState::stopped,
          .needs_primary = true,
          .needs_local_sandbox = true,
          .weight = 80,
          .keys = keys,
          .validate = Replica::require_consent,
          .create = create<Replica>};
}

}  // namespace pgrehearse
