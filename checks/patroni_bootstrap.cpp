// Can a new Patroni cluster be bootstrapped from the restored data? etcd and two members run in the
// sandbox, on a copy of the stopped data directory.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

#include "checks/checks.hpp"
#include "checks/patroni/cluster_formation.hpp"
#include "checks/patroni/cluster_processes.hpp"
#include "checks/patroni/cluster_rows.hpp"
#include "checks/patroni/restored_copy.hpp"
#include "checks/shared/copied_counts.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/http/curl_http_client.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/instance_sessions.hpp"
#include "harness/sandbox/second_server.hpp"

namespace pgrehearse {

namespace {

constexpr auto default_timeout = std::chrono::minutes(10);

constexpr std::array keys{
    KeyDescription{.name = "timeout",
                   .kind = KeyKind::duration,
                   .summary = "time limit until the second member streams from the leader",
                   .example = "5min",
                   .default_value = "10min"},
    KeyDescription{.name = "scope",
                   .kind = KeyKind::text,
                   .summary = "name of the new cluster",
                   .example = "orders-rehearsal",
                   .default_value = "pgrehearse"},
    KeyDescription{.name = "exclude",
                   .kind = KeyKind::text_list,
                   .summary = "tables that are not counted, as database.schema.table patterns",
                   .example = "[shop.audit.*]"},
    KeyDescription{.name = "patroni",
                   .kind = KeyKind::text,
                   .summary = "Patroni's program: a name in PATH, or a path",
                   .example = "/opt/patroni/bin/patroni",
                   .default_value = "patroni"},
    KeyDescription{.name = "etcd",
                   .kind = KeyKind::text,
                   .summary = "etcd's program: a name in PATH, or a path",
                   .example = "/opt/etcd/etcd",
                   .default_value = "etcd"},
};

// Why no cluster can run in the sandbox; empty: it can.
std::string obstacle(const Sandbox& sandbox) {
  const auto isolation = sandbox.isolation();
  for (const auto* means : {"network namespace", "PID namespace"}) {
    if (std::ranges::find(isolation.in_force, means) != isolation.in_force.end()) continue;
    return fmt::format(
        "the sandbox has no {} of its own: other accounts of this host could reach "
        "the cluster",
        means);
  }
  return {};
}

// "3.0.2" of "patroni 3.0.2" and of "etcd Version: 3.4.23"; empty: no number.
std::string version_in(const std::string& output) {
  static const std::regex number("[0-9]+(\\.[0-9]+)+");
  std::smatch match;
  return std::regex_search(output, match, number) ? match.str() : std::string();
}

std::string version_of(Sandbox& sandbox, const std::string& program, std::string_view package,
                       const std::stop_token& stop) {
  const auto missing = [&](const std::string& reason) {
    return Error(ErrorKind::environment, reason,
                 fmt::format("install the package {} on this host, or set the program's path in "
                             "this check's settings",
                             package),
                 FindingCode::env_binary, program);
  };
  try {
    const auto result = sandbox.run({.program = program, .arguments = {"--version"}}, stop);
    throw_if_cancelled(result);
    if (result.succeeded()) return version_in(result.output + result.error_output);
    throw missing(
        fmt::format("{} --version failed: {}", program, trim(result.error_output.substr(0, 300))));
  } catch (const Error& error) {
    if (error.code() != FindingCode::env_binary || error.object() != program) throw;
    throw missing(error.what());
  }
}

// Its directory below the sandbox's root: one cluster at a time. Removed at the end, because the
// copies of the data are large.
class ClusterDirectory {
 public:
  ClusterDirectory(Sandbox& sandbox, const NewCluster& cluster, const std::stop_token& stop)
      : sandbox_(sandbox), cluster_(cluster) {
    constexpr auto longest_wait = std::chrono::hours(24);
    CommandResult made;
    poll_until(
        std::chrono::steady_clock::now() + longest_wait, std::chrono::milliseconds(500), stop, [&] {
          made = sandbox.run(
              {.program = "mkdir", .arguments = {"-m", "0700", cluster.directory.string()}}, stop);
          throw_if_cancelled(made);
          return made.error_output.find("File exists") == std::string::npos;
        });
    if (made.succeeded()) return;
    throw Error(ErrorKind::environment, "cannot create a directory: " + made.error_output, "",
                FindingCode::env_directory, cluster.directory.string());
  }
  ClusterDirectory(const ClusterDirectory&) = delete;
  ClusterDirectory& operator=(const ClusterDirectory&) = delete;
  ~ClusterDirectory() {
    std::vector<std::string> arguments{"-rf", "--", cluster_.directory.string(),
                                       cluster_.etcd_socket.string(),
                                       cluster_.short_tablespaces.string()};
    for (const auto& member : cluster_.members) {
      for (const auto* suffix : {"", ".lock"}) {
        const auto socket = fmt::format(".s.PGSQL.{}{}", member.port, suffix);
        arguments.push_back((cluster_.sockets / socket).string());
      }
    }
    try {
      sandbox_.run({.program = "rm", .arguments = std::move(arguments)}, {});
    } catch (const std::exception&) {
      // Removed with the sandbox.
    }
  }

 private:
  Sandbox& sandbox_;
  const NewCluster& cluster_;
};

// One new cluster, from its files to the evidence.
class Rehearsal {
 public:
  Rehearsal(const StoppedContext& context, NewCluster cluster)
      : context_(context),
        sandbox_(context.sandbox),
        cluster_(std::move(cluster)),
        directory_(sandbox_, cluster_, context.stop),
        servers_{server_of(cluster_.first()), server_of(cluster_.second())},
        etcd_({.unix_socket = cluster_.etcd_socket}) {}

  ClusterFormation form(std::chrono::milliseconds timeout) {
    write_files(copy_restored(sandbox_, cluster_, context_.stop));
    reset_session_settings(sandbox_, cluster_, context_.stop);
    processes_.emplace(sandbox_, cluster_);
    return wait_for_cluster(cluster_, view(), timeout, context_.stop);
  }

  // Of both members, the second one after it has replayed what the first one had written.
  std::array<RowCounts, 2> count(const CopiedCounting& counting) {
    std::array<RowCounts, 2> counts;
    counts.front() = count_on(cluster_.first(), counting);
    const auto target = connect(cluster_.first()).query("select pg_current_wal_lsn()").text(0, 0);
    const auto replayed = [&] {
      return connect(cluster_.second())
                 .query(fmt::format("select pg_last_wal_replay_lsn() >= '{}'", target))
                 .text(0, 0) == "t";
    };
    if (!poll_until(soon(), interval, context_.stop, replayed)) {
      throw Error(ErrorKind::environment,
                  fmt::format("the second member did not replay to {} within {}", target,
                              to_text(Seconds(longest_wait))),
                  "", FindingCode::cluster_timeout, cluster_.second().name);
    }
    counts.back() = count_on(cluster_.second(), counting);
    return counts;
  }

  // Still lacking after a minute: Patroni may just be renewing its keys.
  std::optional<Finding> defect() {
    std::optional<Finding> found;
    const auto state = view();
    poll_until(soon(), interval, context_.stop, [&] {
      found = cluster_defect(cluster_, state);
      return !found;
    });
    return found;
  }

  [[nodiscard]] const NewCluster& cluster() const { return cluster_; }

 private:
  static constexpr auto longest_wait = std::chrono::minutes(1);
  static constexpr auto interval = std::chrono::milliseconds(250);
  static std::chrono::steady_clock::time_point soon() {
    return std::chrono::steady_clock::now() + longest_wait;
  }

  [[nodiscard]] SecondServer server_of(const ClusterMember& member) const {
    auto paths = sandbox_.paths();
    paths.data = member.data;
    return {sandbox_, std::move(paths), member.port};
  }

  void write_files(std::vector<std::string> tablespaces) {
    const ClusterServer server{
        .quarantine = {.major = sandbox_.spec().postgres_major,
                       .configuration = cluster_.directory,
                       .sockets = cluster_.sockets,
                       .temporary = sandbox_.paths().temporary,
                       .superuser = sandbox_.spec().superuser,
                       .accounts = {sandbox_.spec().account, current_account().name},
                       .control = context_.control,
                       .memory = sandbox_.memory(),
                       .cpus = sandbox_.cpus()},
        .binaries = std::filesystem::path(sandbox_.program("postgres")).parent_path(),
        .tablespaces = std::move(tablespaces)};
    for (const auto& member : cluster_.members) {
      sandbox_.write_file(member.settings, server_settings(member, server));
      sandbox_.write_file(member.configuration, patroni_configuration(cluster_, member, server));
    }
    sandbox_.write_file(cluster_.start_script, start_script(cluster_));
  }

  Connection connect(const ClusterMember& member, const std::string& database = {}) {
    const auto number = &member == &cluster_.first() ? 0U : 1U;
    return InstanceSessions(servers_.at(number))
        .open(database.empty() ? cluster_.database : database, ErrorKind::recovery, context_.stop);
  }

  RowCounts count_on(const ClusterMember& member, CopiedCounting counting) {
    counting.connect = [&](const std::string& database) { return connect(member, database); };
    return count_copied(counting);
  }

  ClusterView view() {
    return {.keys = [this] { return read_keys(); },
            .ended = [this](const std::string& name) { return processes_->ended(name); },
            .read_log = [this](const auto& log) { return sandbox_.read_file(log); },
            .in_recovery = [this](const auto& member) { return in_recovery(member); },
            .streaming = [this] { return streams(); }};
  }

  std::optional<PatroniKeys> read_keys() const {
    try {
      const auto answer = etcd_.send({.url = "http://etcd/v3/kv/range",
                                      .method = "POST",
                                      .body = keys_below(key_prefix(cluster_))},
                                     context_.stop);
      if (answer.status == 200) return parse_patroni_keys(answer.body);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
    }
    return {};
  }

  std::optional<bool> in_recovery(const ClusterMember& member) {
    try {
      return connect(member).query("select pg_is_in_recovery()").text(0, 0) == "t";
    } catch (const SqlError&) {
      return {};
    }
  }

  bool streams() {
    try {
      const std::array<Field, 1> name{cluster_.second().name};
      return !connect(cluster_.first())
                  .query(
                      "select from pg_stat_replication where state = 'streaming' and "
                      "application_name = $1",
                      name)
                  .rows.empty();
    } catch (const SqlError&) {
      return false;
    }
  }

  const StoppedContext& context_;
  Sandbox& sandbox_;
  NewCluster cluster_;
  ClusterDirectory directory_;
  std::array<SecondServer, 2> servers_;
  CurlHttpClient etcd_;
  std::optional<ClusterProcesses> processes_;  // last: ends before its files are removed
};

class PatroniBootstrap : public StoppedCheck {
 public:
  explicit PatroniBootstrap(const Settings& settings)
      : timeout_(settings.get_or<std::chrono::milliseconds>("timeout", default_timeout)),
        exclude_(settings.get_or<std::vector<std::string>>("exclude", {})),
        options_{.scope = settings.get_or<std::string>("scope", "pgrehearse"),
                 .patroni = settings.get_or<std::string>("patroni", "patroni"),
                 .etcd = settings.get_or<std::string>("etcd", "etcd")} {
    static const std::regex plain("[A-Za-z0-9][A-Za-z0-9_.-]{0,60}");
    if (std::regex_match(options_.scope, plain)) return;
    throw Error(ErrorKind::usage,
                fmt::format("scope '{}' may contain only letters, digits, '-', '_' and '.'",
                            options_.scope),
                "for example scope: orders-rehearsal");
  }

  void before_stop(const LandedContext& context) override {
    if (!obstacle(context.sandbox).empty()) return;
    databases_ = context.databases;
    restored_ = count_copied({.connect = context.connect,
                              .databases = databases_,
                              .exclude = exclude_,
                              .on_progress = context.on_progress});
  }

  CheckOutcome run(const StoppedContext& context) override {
    if (const auto reason = obstacle(context.sandbox); !reason.empty()) {
      return {.verdict = Verdict::unknown,
              .findings = {{.code = FindingCode::check_not_run,
                            .object = "patroni_bootstrap",
                            .message = reason,
                            .hint = "run pgrehearse as root, on a kernel that allows namespaces"}},
              .summary = "no cluster was started"};
    }
    const auto programs = fmt::format(
        "Patroni {}, etcd {}",
        version_of(context.sandbox, options_.patroni, "patroni", context.stop),
        version_of(context.sandbox, options_.etcd, "etcd-server (or etcd)", context.stop));
    auto cluster = plan_cluster(context.sandbox.paths(), options_);
    // As the drill's own sessions.
    if (std::ranges::find(databases_, cluster.database) == databases_.end()) {
      cluster.database = "template1";
    }
    Rehearsal rehearsal(context, std::move(cluster));
    const auto formation = rehearsal.form(timeout_);
    if (formation.failure) return failed(*formation.failure, programs);
    const auto counts = rehearsal.count({.connect = {},
                                         .databases = databases_,
                                         .exclude = exclude_,
                                         .on_progress = context.on_progress});
    if (const auto defect = rehearsal.defect()) return failed(*defect, programs);
    return evaluate(rehearsal.cluster(), formation, counts, programs);
  }

 private:
  static CheckOutcome failed(Finding finding, const std::string& programs) {
    const bool error = severity_of(finding) == Severity::error;
    return {.verdict = error ? Verdict::fail : Verdict::unknown,
            .findings = {std::move(finding)},
            .summary = programs + ": no complete cluster"};
  }

  [[nodiscard]] CheckOutcome evaluate(const NewCluster& cluster, const ClusterFormation& formation,
                                      const std::array<RowCounts, 2>& counts,
                                      const std::string& programs) const {
    CheckOutcome outcome{.verdict = Verdict::pass};
    ClusterRows rows;
    for (std::size_t number = 0; number < counts.size(); ++number) {
      rows = compare_cluster_rows(cluster.members.at(number).name, restored_, counts.at(number));
      if (rows.tables == 0) outcome.verdict = Verdict::unknown;
      for (auto& finding : rows.findings) {
        const bool error = severity_of(finding) == Severity::error;
        if (error) outcome.verdict = Verdict::fail;
        if (!error && outcome.verdict == Verdict::pass) outcome.verdict = Verdict::unknown;
        outcome.findings.push_back(std::move(finding));
      }
    }
    outcome.summary = fmt::format(
        "{}: leader after {}, second member streaming after {}; {} ({}) compared on both members",
        programs, to_text(Seconds(formation.leader)), to_text(Seconds(formation.complete)),
        counted(rows.tables, "table", "tables"), counted(rows.rows, "row", "rows"));
    return outcome;
  }

  std::chrono::milliseconds timeout_;
  NamePatterns exclude_;
  NewClusterOptions options_;
  std::vector<std::string> databases_;
  RowCounts restored_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::cluster_bootstrap,
    FindingCode::cluster_replica,
    FindingCode::cluster_rows,
    FindingCode::cluster_timeout,
    FindingCode::cluster_environment,
});

}  // namespace

CheckDescription patroni_bootstrap_check() {
  return {.name = "patroni_bootstrap",
          .summary =
              "a new Patroni cluster of two members can be bootstrapped from the restored "
              "data",
          .finds = finding_codes,
          .state = InstanceState::stopped,
          .needs_local_sandbox = true,
          .promotes = true,
          .weight = 90,
          .keys = keys,
          .validate = validate<PatroniBootstrap>,
          .create = create<PatroniBootstrap>};
}

}  // namespace pgrehearse
