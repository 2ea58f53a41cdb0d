#include "tests/fakes/throwaway_cluster.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"

namespace pgrehearse {

namespace {

std::optional<Account> server_account() {
  if (geteuid() != 0) return {};  // PostgreSQL refuses root only
  return find_account("postgres");
}

std::filesystem::path make_root(const std::optional<Account>& account) {
  // A short name: a unix socket's path is limited to 107 characters.
  std::string name = std::filesystem::temp_directory_path() / "pgr-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  if (account && chown(name.c_str(), account->uid, account->gid) != 0) {
    throw std::runtime_error("cannot give away " + name);
  }
  return name;
}

}  // namespace

bool ThrowawayCluster::available() { return !installed_majors().empty(); }

ThrowawayCluster::ThrowawayCluster(const std::map<std::string, std::string>& settings)
    : binaries_(find_binaries(installed_majors().back(), {})), root_(make_root(server_account())) {
  run("initdb", {"--pgdata", data(), "--username=postgres", "--auth=trust", "--no-sync",
                 "--no-locale", "--encoding=UTF8", "--wal-segsize=1"});
  {
    std::ofstream configuration(data() / "postgresql.conf", std::ios::app);
    configuration << "listen_addresses = ''\nunix_socket_directories = '" << root_.string()
                  << "'\nfsync = off\nfull_page_writes = off\nmax_connections = 50\n"
                  << "autovacuum = off\nmax_wal_size = 4MB\nmin_wal_size = 2MB\n";
    for (const auto& [name, value] : settings) {
      configuration << name << " = " << quote_setting(value) << '\n';
    }
  }
  server_ = std::jthread([this](std::stop_token stop) {
    auto server = command("postgres", {"-D", data()});
    server.timeout = std::chrono::hours(1);
    runner_.run(server, std::move(stop));
  });
  wait_until_ready();
}

ThrowawayCluster::~ThrowawayCluster() {
  try {
    run("pg_ctl", {"stop", "--mode=immediate", "--timeout=30", "--pgdata", data()});
    server_.join();
  } catch (const std::exception& error) {
    fmt::print(stderr, "a test's cluster could not be stopped: {}\n", error.what());
  }
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

Command ThrowawayCluster::command(std::string_view program,
                                  std::vector<std::string> arguments) const {
  return {.program = binaries_ / program,
          .arguments = std::move(arguments),
          .account = server_account()};
}

void ThrowawayCluster::wait_until_ready() const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (true) {
    try {
      connect("postgres").query("select 1");
      return;
    } catch (const SqlError&) {
      // There is no event to wait for: the socket appears, then recovery ends.
      if (std::chrono::steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

void ThrowawayCluster::run(std::string_view program, std::vector<std::string> arguments) {
  const auto result = runner_.run(command(program, std::move(arguments)), {});
  if (!result.succeeded()) {
    throw std::runtime_error(fmt::format("{}: {}{}", program, result.output, result.error_output));
  }
}

std::string ThrowawayCluster::dsn(const std::string& user) const {
  return fmt::format("host={} user={} dbname=postgres", root_.string(), user);
}

Connection ThrowawayCluster::connect(const std::string& database) const {
  auto parameters = parse_dsn(dsn());
  parameters["dbname"] = database.empty() ? "postgres" : database;
  return Connection::open(std::move(parameters), {});
}

void ThrowawayCluster::execute(const std::string& database,
                               std::span<const std::string> statements) const {
  auto connection = connect(database);
  connection.query("set search_path = public, pg_catalog");
  for (const auto& statement : statements) connection.query(statement);
}

void ThrowawayCluster::execute(const std::string& database,
                               std::initializer_list<std::string> statements) const {
  execute(database, std::span(statements.begin(), statements.size()));
}

std::string ThrowawayCluster::create_database(const std::string& options) {
  auto name = fmt::format("test_{}", ++databases_);
  connect("postgres").query(fmt::format("create database {} {}", name, options));
  return name;
}

ThrowawayCluster& copy_cluster() {
  static ThrowawayCluster cluster(
      std::map<std::string, std::string>{{"max_prepared_transactions", "5"}});
  return cluster;
}

ThrowawayCluster& primary_cluster() {
  static ThrowawayCluster cluster({{"track_commit_timestamp", "on"},
                                   {"max_slot_wal_keep_size", "1MB"},
                                   {"wal_level", "replica"}});
  return cluster;
}

}  // namespace pgrehearse
