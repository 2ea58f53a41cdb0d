#include "tests/drills/patroni/patroni_cluster.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// ttl and loop_wait are short to keep the tests fast; newer releases raise ttl to 20 seconds.
constexpr std::string_view patroni_text = R"(scope: {0}
name: {1}
restapi:
  listen: "127.0.0.1:{2}"
  connect_address: "127.0.0.1:{2}"
  certfile: {5}/member.crt
  keyfile: {5}/member.key
  cafile: {5}/ca.crt
  verify_client: required
ctl: {{ cacert: {5}/ca.crt, certfile: {5}/member.crt, keyfile: {5}/member.key }}
etcd3: {{ host: "127.0.0.1:{3}" }}
bootstrap:
  dcs:
    ttl: 15
    loop_wait: 1
    retry_timeout: 5
    maximum_lag_on_failover: 67108864
    postgresql:
      use_slots: true
      parameters:
        wal_level: replica
        archive_mode: "on"
        hot_standby: "on"
        shared_buffers: 32MB
        dynamic_shared_memory_type: mmap
        max_connections: 50
        track_commit_timestamp: "on"
  initdb: [{{ encoding: UTF8 }}, {{ locale: C.UTF-8 }}, data-checksums, no-sync]
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
postgresql:
  listen: "127.0.0.1:{4}"
  connect_address: "127.0.0.1:{4}"
  data_dir: {5}/{1}
  bin_dir: {6}
  pgpass: {5}/pgpass-{1}
  basebackup: [{{ checkpoint: fast }}]
  parameters:
    fsync: "off"
    unix_socket_directories: {5}/sockets
    archive_command: pgbackrest --config={7} --stanza={8} archive-push "%p"
  authentication:
    superuser: {{ username: postgres, password: none }}
    replication: {{ username: replicator, password: none }}
)";

constexpr std::string_view label = "patroni-test";
constexpr std::string_view stanza = "pat";

// All are bound at the same time, so they are all different.
std::vector<int> free_ports(std::size_t count) {
  std::vector<int> sockets;
  std::vector<int> ports;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(sockets.back(), plain, length) != 0 ||
        getsockname(sockets.back(), plain, &length) != 0) {
      throw std::runtime_error("no free port on the loopback");
    }
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int one : sockets) close(one);
  return ports;
}

std::string url(int port) { return fmt::format("http://127.0.0.1:{}", port); }

fs::path newest_binaries() {
  const auto majors = installed_majors();
  return find_binaries(majors.empty() ? 0 : *std::max_element(majors.begin(), majors.end()), {});
}

}  // namespace

void wait_until(const std::string& what, const std::function<bool()>& is_true,
                std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!is_true()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(
          fmt::format("timed out after {} s waiting for {}", timeout.count(), what));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

TestPatroniCluster::TestPatroniCluster(fs::path root, CommandRunner& runner)
    : root_(std::move(root)),
      runner_(runner),
      account_(geteuid() == 0 ? find_account("postgres") : current_account()) {
  for (const auto& directory : {root_, root_ / "repository", root_ / "sockets", root_ / "log",
                                root_ / "spool", root_ / "lock"}) {
    make_private_directory(directory, account_);
  }
  const auto ports = free_ports(2 * members + 3);
  for (std::size_t member = 0; member < members; ++member) {
    member_ports_.at(member) = ports.at(member);
    rest_ports_.at(member) = ports.at(members + member);
  }
  etcd_port_ = ports.at(2 * members);
  etcd_peer_port_ = ports.at(2 * members + 1);
  haproxy_port_ = ports.at(2 * members + 2);
  make_certificates();
  for (std::size_t member = 0; member < members; ++member) write_configuration(member);
  write_haproxy_configuration();
}

TestPatroniCluster::~TestPatroniCluster() {
  daemons_.clear();
  end_processes({.label = fmt::format("PGREHEARSE_RUN={}-{}", label, root_.native()),
                 .directories = {root_},
                 .owner = account_.uid},
                std::chrono::seconds(5));
  std::error_code failure;
  fs::remove_all(root_, failure);
}

void TestPatroniCluster::write(const std::string& file, std::string_view content) const {
  write_file_of(account_, root_ / file, std::string(content), 0600);
}

std::string TestPatroniCluster::rest_url(std::size_t member) const {
  return fmt::format("https://127.0.0.1:{}", rest_ports_.at(member));
}

fs::path TestPatroniCluster::pgbackrest_configuration(std::size_t member) const {
  return root_ / ("pgbackrest-" + name(member) + ".conf");
}

void TestPatroniCluster::make_certificates() {
  const auto make = [this](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> arguments{"req",         "-x509",       "-newkey",
                                       "ec",          "-pkeyopt",    "ec_paramgen_curve:prime256v1",
                                       "-nodes",      "-days",       "2",
                                       "-subj",       "/CN=" + name, "-keyout",
                                       name + ".key", "-out",        name + ".crt"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run("openssl", std::move(arguments));
  };
  make("ca", {});
  make("member", {"-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
                  "-addext", "basicConstraints=critical,CA:FALSE"});
  make("client",
       {"-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"});
  // HAProxy requires both in one file.
  write("haproxy.pem", read_file_of(account_, root_ / "member.crt") +
                           read_file_of(account_, root_ / "member.key"));
}

void TestPatroniCluster::write_configuration(std::size_t member) const {
  const auto root = root_.native();
  write(pgbackrest_configuration(member).filename(),
        fmt::format(R"([global]
repo1-path={0}/repository
repo1-retention-full=2
log-path={0}/log
lock-path={0}/lock
spool-path={0}/spool
log-level-console=warn
start-fast=y
compress-type=lz4
process-max=2

[{1}]
pg1-path={0}/{2}
pg1-port={3}
pg1-socket-path={0}/sockets
)",
                    root, stanza, name(member), port(member)));
  write(name(member) + ".yml",
        fmt::format(patroni_text, "orders", name(member), rest_ports_.at(member), etcd_port_,
                    port(member), root, newest_binaries().native(),
                    pgbackrest_configuration(member).native(), stanza));
}

void TestPatroniCluster::write_haproxy_configuration() const {
  std::string text = fmt::format(R"(global
  maxconn 100
defaults
  mode tcp
  timeout connect 2s
  timeout client 60s
  timeout server 60s
listen primary
  bind 127.0.0.1:{}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
)",
                                 haproxy_port_);
  for (std::size_t member = 0; member < members; ++member) {
    text += fmt::format(
        "  server {} 127.0.0.1:{} check port {} check-ssl verify required ca-file {}/ca.crt crt "
        "{}/haproxy.pem\n",
        name(member), port(member), rest_ports_.at(member), root_.native(), root_.native());
  }
  write("haproxy.cfg", text);
}

Command TestPatroniCluster::command(const std::string& program,
                                    std::vector<std::string> arguments) const {
  Command command{
      .program = program,
      .arguments = std::move(arguments),
      .environment = {{"PGREHEARSE_RUN", fmt::format("{}-{}", label, root_.native())},
                      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
      .working_directory = root_};
  if (geteuid() == 0) command.account = account_;
  return command;
}

void TestPatroniCluster::run(const std::string& program, std::vector<std::string> arguments) {
  const auto result = runner_.run(command(program, std::move(arguments)), {});
  if (!result.succeeded()) {
    throw std::runtime_error(program + ": " + result.output + result.error_output);
  }
}

void TestPatroniCluster::start_daemon(const std::string& name, const std::string& program,
                                      std::vector<std::string> arguments) {
  auto daemon = command(program, std::move(arguments));
  daemon.timeout = std::chrono::minutes(20);
  daemon.stop_signal = SIGKILL;
  const auto log = root_ / "log" / (name + ".log");
  daemon.on_line = [log](std::string_view line) {
    std::ofstream(log, std::ios::app) << line << '\n';
  };
  daemons_.emplace(name, std::jthread([this, daemon](const std::stop_token& stop) {
                     runner_.run(daemon, stop);
                   }));
}

void TestPatroniCluster::start() {
  start_daemon(
      "etcd", "etcd",
      {"--name=e", "--data-dir=" + (root_ / "etcd").native(), "--unsafe-no-fsync",
       "--listen-client-urls=" + url(etcd_port_), "--advertise-client-urls=" + url(etcd_port_),
       "--listen-peer-urls=" + url(etcd_peer_port_),
       "--initial-advertise-peer-urls=" + url(etcd_peer_port_),
       "--initial-cluster=e=" + url(etcd_peer_port_)});
  for (std::size_t member = 0; member < members; ++member) {
    start_daemon(name(member), "patroni", {root_ / (name(member) + ".yml")});
  }
  start_daemon("haproxy", "haproxy", {"-f", root_ / "haproxy.cfg"});
  wait_until("two streaming standbys", [this] {
    const auto rows = connect(leader(), "postgres")
                          .query("select from pg_stat_replication where state = 'streaming'");
    return rows.rows.size() == members - 1;
  });
}

Connection TestPatroniCluster::connect(std::size_t member, const std::string& database) const {
  return Connection::open({{"host", "127.0.0.1"},
                           {"port", std::to_string(port(member))},
                           {"user", "postgres"},
                           {"dbname", database}},
                          {.connect_timeout = std::chrono::seconds(3)}, {});
}

std::size_t TestPatroniCluster::leader() const {
  std::size_t found = members;
  wait_until("a leader", [&] {
    for (std::size_t member = 0; member < members; ++member) {
      if (!lives(member)) continue;
      try {
        const auto rows = connect(member, "postgres").query("select pg_is_in_recovery()");
        if (rows.text(0, 0) == "f") found = member;
      } catch (const SqlError&) {
        continue;
      }
    }
    return found != members;
  });
  return found;
}

void TestPatroniCluster::kill(std::size_t member) {
  const ProcessMark mark{.label = "PGREHEARSE_RUN=of-nobody",
                         .directories = {root_ / name(member)},
                         .owner = account_.uid};
  // Stopped first, all at once: no timeout of the server expires meanwhile, and a postmaster that
  // notices the death of a child would restart and send its WAL.
  for (const auto& process : processes_with(mark)) ::kill(process.pid, SIGSTOP);
  // Then Patroni, which would start a new server.
  daemons_.erase(name(member));
  for (const auto& process : processes_with(mark)) ::kill(process.pid, SIGKILL);
  wait_until("the end of " + name(member), [&] { return processes_with(mark).empty(); });
}

void TestPatroniCluster::freeze_replication_from(std::size_t member) const {
  const auto senders = connect(member, "postgres").query("select pid from pg_stat_replication");
  for (std::size_t row = 0; row < senders.rows.size(); ++row) {
    ::kill(std::stoi(senders.text(row, 0)), SIGSTOP);
  }
}

void TestPatroniCluster::create_stanza() {
  run("pgbackrest", {"--config=" + pgbackrest_configuration(leader()).native(),
                     fmt::format("--stanza={}", stanza), "stanza-create"});
}

void TestPatroniCluster::back_up() {
  run("pgbackrest", {"--config=" + pgbackrest_configuration(leader()).native(),
                     fmt::format("--stanza={}", stanza), "--type=full", "backup"});
}

std::string TestPatroniCluster::switch_wal_and_wait(std::size_t member) const {
  auto connection = connect(member, "postgres");
  connection.query("select pg_create_restore_point('test')");
  auto segment = connection.query("select pg_walfile_name(pg_switch_wal())").text(0, 0);
  wait_until_archived(segment + "-");
  return segment;
}

void TestPatroniCluster::wait_until_archived(const std::string& name) const {
  wait_until(name + " in the archive", [&] {
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "repository" / "archive")) {
      const auto file = entry.path().filename().native();
      if (file.starts_with(name) && file.find(".pgbackrest.tmp") == std::string::npos) return true;
    }
    return false;
  });
}

fs::path TestPatroniCluster::repository_without_timeline(int timeline) {
  const auto copy = root_ / fmt::format("repository-without-{}", timeline);
  run("cp", {"-a", root_ / "repository", copy});
  const auto begin = fmt::format("{:08X}", timeline);
  for (const auto& version : fs::directory_iterator(copy / "archive" / stanza)) {
    if (!version.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(version.path())) {
      if (entry.path().filename().native().starts_with(begin)) fs::remove_all(entry.path());
    }
  }
  auto text = read_file_of(account_, pgbackrest_configuration(0));
  const auto original = (root_ / "repository").native();
  text.replace(text.find(original), original.size(), copy.native());
  write("pgbackrest-copy.conf", text);
  return root_ / "pgbackrest-copy.conf";
}

std::string TestPatroniCluster::logs() const {
  std::string all;
  for (const auto& entry : fs::directory_iterator(root_ / "log")) {
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    constexpr std::size_t enough = 3000;
    all += fmt::format("--- {}\n{}\n", entry.path().filename().native(),
                       text.size() > enough ? text.substr(text.size() - enough) : text);
  }
  return all;
}

}  // namespace pgrehearse
