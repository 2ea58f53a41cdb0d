// A real PostgreSQL cluster for tests: on a unix socket below a temporary directory, stopped and
// removed with the object.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/process/boost_command_runner.hpp"

namespace pgrehearse {

class ThrowawayCluster {
 public:
  // Whether PostgreSQL is installed. Without it tests are skipped, or fail when PGREHEARSE_REQUIRE
  // is "all".
  static bool available();
  // Superuser postgres, trust authentication, durability off, locale C; `settings` go to
  // postgresql.conf.
  explicit ThrowawayCluster(const std::map<std::string, std::string>& settings = {});
  ~ThrowawayCluster();
  ThrowawayCluster(const ThrowawayCluster&) = delete;
  ThrowawayCluster& operator=(const ThrowawayCluster&) = delete;

  [[nodiscard]] std::string dsn(const std::string& user = "postgres") const;
  [[nodiscard]] Connection connect(const std::string& database) const;
  // Each statement by itself, as superuser.
  void execute(const std::string& database, std::span<const std::string> statements) const;
  void execute(const std::string& database, std::initializer_list<std::string> statements) const;
  // A new empty database; returns its name.
  std::string create_database(const std::string& options = "");
  [[nodiscard]] std::filesystem::path data() const { return root_ / "data"; }
  // The directory of its socket, port 5432.
  [[nodiscard]] std::filesystem::path sockets() const { return root_; }
  [[nodiscard]] std::filesystem::path binaries() const { return binaries_; }

 private:
  [[nodiscard]] Command command(std::string_view program, std::vector<std::string> arguments) const;
  void run(std::string_view program, std::vector<std::string> arguments);
  void wait_until_ready() const;

  BoostCommandRunner runner_;
  std::filesystem::path binaries_;
  std::filesystem::path root_;
  int databases_ = 0;
  // Runs the server in the foreground, so that it always ends with this process.
  std::jthread server_;
};

// Two clusters that a test binary starts once: a restored cluster and its primary.
ThrowawayCluster& copy_cluster();
ThrowawayCluster& primary_cluster();

}  // namespace pgrehearse
