// A real Patroni cluster for tests: etcd, three members and HAProxy, on free ports of the loopback,
// archiving into one pgBackRest stanza.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Polls every 50 ms. Throws std::runtime_error naming `what` after `timeout`.
void wait_until(const std::string& what, const std::function<bool()>& is_true,
                std::chrono::seconds timeout = std::chrono::seconds(180));

class TestPatroniCluster {
 public:
  static constexpr std::size_t members = 3;

  // Creates `root`, which must not exist; starts nothing. `runner` outlives this object.
  TestPatroniCluster(std::filesystem::path root, CommandRunner& runner);
  // Ends every process and removes `root`.
  ~TestPatroniCluster();
  TestPatroniCluster(const TestPatroniCluster&) = delete;
  TestPatroniCluster& operator=(const TestPatroniCluster&) = delete;

  // Returns when one member is the leader, the others stream, and HAProxy connects to the leader.
  void start();
  // As superuser. Throws SqlError.
  [[nodiscard]] Connection connect(std::size_t member, const std::string& database) const;
  // The running member that is not in recovery according to PostgreSQL; waits for one.
  [[nodiscard]] std::size_t leader() const;
  // kill -9 of Patroni, PostgreSQL and all their child processes.
  void kill(std::size_t member);
  // The other members stop receiving WAL from this one, which does not notice.
  void freeze_replication_from(std::size_t member) const;

  void create_stanza();
  void back_up();
  // Switches WAL and waits until the segment is in the repository; returns its name.
  std::string switch_wal_and_wait(std::size_t member) const;
  // Waits until a file with this name prefix is in the WAL archive.
  void wait_until_archived(const std::string& name) const;

  [[nodiscard]] static std::string name(std::size_t member) { return "n" + std::to_string(member); }
  // The REST API requires a client certificate of the cluster's own authority.
  [[nodiscard]] std::string rest_url(std::size_t member) const;
  [[nodiscard]] std::filesystem::path authority() const { return root_ / "ca.crt"; }
  [[nodiscard]] std::filesystem::path client_certificate() const { return root_ / "client.crt"; }
  [[nodiscard]] std::filesystem::path client_key() const { return root_ / "client.key"; }
  [[nodiscard]] int port(std::size_t member) const { return member_ports_.at(member); }
  [[nodiscard]] int haproxy_port() const { return haproxy_port_; }
  [[nodiscard]] bool lives(std::size_t member) const { return daemons_.contains(name(member)); }
  [[nodiscard]] std::filesystem::path pgbackrest_configuration(std::size_t member) const;
  // The configuration of a copy of the repository without this timeline.
  std::filesystem::path repository_without_timeline(int timeline);
  // The logs' last lines, for a failed test.
  [[nodiscard]] std::string logs() const;

 private:
  void write(const std::string& file, std::string_view content) const;
  void make_certificates();
  void write_configuration(std::size_t member) const;
  void write_haproxy_configuration() const;
  void start_daemon(const std::string& name, const std::string& program,
                    std::vector<std::string> arguments);
  void run(const std::string& program, std::vector<std::string> arguments);
  [[nodiscard]] Command command(const std::string& program,
                                std::vector<std::string> arguments) const;

  std::filesystem::path root_;
  CommandRunner& runner_;
  Account account_;
  std::array<int, members> member_ports_{};
  std::array<int, members> rest_ports_{};
  int etcd_port_ = 0;
  int etcd_peer_port_ = 0;
  int haproxy_port_ = 0;
  std::map<std::string, std::jthread> daemons_;
};

}  // namespace pgrehearse
