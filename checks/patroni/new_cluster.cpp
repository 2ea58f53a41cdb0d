#include "checks/patroni/new_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

// In the sandbox's own network namespace; PostgreSQL's ports also name its Unix sockets, of which
// 5432 is the drill's.
constexpr int etcd_port = 2379;
constexpr int etcd_peer_port = 2380;
constexpr int first_port = 5433;
constexpr int first_rest_port = 8008;
constexpr const char* loopback = "127.0.0.1";

std::string random_password() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
  std::string password;
  for (int count = 0; count < 32; ++count) password += letters[pick(random)];
  return password;
}

std::string address(int port) { return fmt::format("{}:{}", loopback, port); }
std::string url(int port) { return "http://" + address(port); }

// At least what Patroni requires, and what the restored cluster had.
Json cluster_parameters(const ControlData& control) {
  return {{"max_connections", std::max(control.max_connections, 100)},
          {"max_worker_processes", std::max(control.max_worker_processes, 8)},
          {"max_wal_senders", std::max(control.max_wal_senders, 10)},
          {"max_prepared_transactions", control.max_prepared_transactions},
          {"max_locks_per_transaction", std::max(control.max_locks_per_transaction, 64)},
          {"wal_level", "replica"}};
}

Json bootstrap(const NewCluster& cluster, const ClusterServer& server) {
  return {{"dcs",
           {{"ttl", 30},
            {"loop_wait", 1},
            {"retry_timeout", 10},
            {"postgresql",
             {{"use_pg_rewind", false},
              {"use_slots", true},
              {"parameters", cluster_parameters(server.quarantine.control)}}}}},
          {"method", "pgrehearse"},
          {"pgrehearse",
           {{"command",
             shell_command({"mv", "-T", cluster.restored.native(), cluster.first().data.native()})},
            {"no_params", true}}}};
}

// `=` separates the two directories.
std::string mapped_directory(const std::filesystem::path& directory) {
  std::string text;
  for (const char c : directory.native()) {
    if (c == '=') text += '\\';
    text += c;
  }
  return text;
}

// A tablespace cannot be at the same place for both members.
Json base_backup(const NewCluster& cluster, const ClusterServer& server) {
  auto options = Json::array({"no-sync", {{"checkpoint", "fast"}}});
  for (const auto& name : server.tablespaces) {
    options.push_back({{"tablespace-mapping",
                        fmt::format("{}={}", mapped_directory(cluster.short_tablespaces / name),
                                    mapped_directory(cluster.second().tablespaces / name))}});
  }
  return options;
}

Json rules(std::string_view text) {
  auto list = Json::array();
  for (const auto line : lines_of(text)) list.push_back(line);
  return list;
}

Quarantine quarantine_of(const ClusterMember& member, const ClusterServer& server) {
  auto input = server.quarantine;
  input.data = member.data;
  input.port = member.port;
  input.memory = {input.memory.count / 2};
  input.restore_command.clear();
  input.recovery.clear();
  return make_quarantine(input);
}

}  // namespace

NewCluster plan_cluster(const SandboxPaths& paths, NewClusterOptions options) {
  const auto directory = paths.root / "patroni";
  NewCluster cluster{.options = std::move(options),
                     .directory = directory,
                     .sockets = paths.sockets,
                     .restored = directory / "restored",
                     .short_tablespaces = paths.sockets / "1",
                     .etcd_data = directory / "etcd",
                     .etcd_log = paths.logs / "etcd.log",
                     .etcd_socket = paths.sockets / "localhost:1",
                     .start_script = directory / "start",
                     .replication_password = random_password()};
  int number = 0;
  for (auto& member : cluster.members) {
    member.name = fmt::format("member{}", number + 1);
    member.port = first_port + number;
    member.rest_port = first_rest_port + number;
    member.data = directory / member.name;
    member.tablespaces = directory / (member.name + "-tablespaces");
    member.configuration = directory / (member.name + ".yml");
    member.settings = directory / (member.name + ".conf");
    member.password_file = directory / (member.name + ".pgpass");
    member.log = paths.logs / fmt::format("patroni-{}.log", member.name);
    ++number;
  }
  return cluster;
}

std::string key_prefix(const NewCluster& cluster) {
  return fmt::format("/pgrehearse/{}/", cluster.options.scope);
}

std::string server_settings(const ClusterMember& member, const ClusterServer& server) {
  const auto quarantine = quarantine_of(member, server);
  auto text = quarantine.postgresql_conf;
  constexpr auto of_patroni = std::to_array<std::string_view>(
      {"config_file", "data_directory", "external_pid_file", "hba_file", "ident_file",
       "listen_addresses", "port", "primary_conninfo", "primary_slot_name",
       "synchronous_standby_names", "unix_socket_directories"});
  for (const auto& [name, value] : quarantine.command_line) {
    if (std::ranges::find(of_patroni, name) != of_patroni.end()) continue;
    text += fmt::format("{} = {}\n", name, quote_setting(value));
  }
  return text;
}

std::string patroni_configuration(const NewCluster& cluster, const ClusterMember& member,
                                  const ClusterServer& server) {
  const auto quarantine = quarantine_of(member, server);
  const auto& superuser = server.quarantine.superuser;
  auto hba = fmt::format("host replication {} {}/32 scram-sha-256\n{}", replication_role, loopback,
                         quarantine.hba);
  Json configuration{
      {"scope", cluster.options.scope},
      {"namespace", "/pgrehearse/"},
      {"name", member.name},
      {"restapi",
       {{"listen", address(member.rest_port)}, {"connect_address", address(member.rest_port)}}},
      {"etcd3", {{"host", address(etcd_port)}}},
      {"watchdog", {{"mode", "off"}}},
      {"postgresql",
       {{"listen", address(member.port)},
        {"connect_address", address(member.port)},
        {"data_dir", member.data},
        {"bin_dir", server.binaries},
        {"database", cluster.database},
        {"pgpass", member.password_file},
        {"custom_conf", member.settings},
        {"use_unix_socket", true},
        {"create_replica_methods", {"basebackup"}},
        {"basebackup", base_backup(cluster, server)},
        {"parameters",
         {{"unix_socket_directories", cluster.sockets},
          {"unix_socket_permissions", "0700"},
          {"password_encryption", "scram-sha-256"}}},
        {"pg_hba", rules(hba)},
        {"pg_ident", rules(quarantine.ident)},
        {"authentication",
         {{"superuser", {{"username", superuser}}},
          {"replication",
           {{"username", replication_role}, {"password", cluster.replication_password}}}}}}}};
  if (&member == &cluster.first()) configuration["bootstrap"] = bootstrap(cluster, server);
  // JSON is YAML.
  return configuration.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string start_script(const NewCluster& cluster) {
  // etcd creates its Unix socket in the current directory, with this name.
  auto text = fmt::format(
      R"sh(cd {sockets} || exit 1
watch() {{
  name=$1 log=$2
  shift 2
  "$@" >>"$log" 2>&1
  echo "$name ended with exit code $?"
}}
watch etcd {log} {etcd} --name=etcd --data-dir={data} \
  --listen-client-urls={client},unix://{socket} --advertise-client-urls={client} \
  --listen-peer-urls={peer} --initial-advertise-peer-urls={peer} --initial-cluster=etcd={peer} &
)sh",
      fmt::arg("sockets", shell_word(cluster.sockets.native())),
      fmt::arg("log", shell_word(cluster.etcd_log.native())),
      fmt::arg("etcd", shell_word(cluster.options.etcd)),
      fmt::arg("data", shell_word(cluster.etcd_data.native())), fmt::arg("client", url(etcd_port)),
      fmt::arg("peer", url(etcd_peer_port)),
      fmt::arg("socket", cluster.etcd_socket.filename().native()));
  for (const auto& member : cluster.members) {
    text +=
        fmt::format("watch {} {} {} {} &\n", member.name, shell_word(member.log.native()),
                    shell_word(cluster.options.patroni), shell_word(member.configuration.native()));
  }
  return text + "wait\n";
}

}  // namespace pgrehearse
