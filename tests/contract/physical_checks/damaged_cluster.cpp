#include "tests/contract/physical_checks/damaged_cluster.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "harness/postgres/binaries.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes startup_timeout{2};

}  // namespace

std::string DamagedCluster::missing() {
  if (installed_majors().empty()) return "no PostgreSQL is installed";
  try {
    if (geteuid() == 0) find_account("postgres");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

DamagedCluster::DamagedCluster() {
  std::string pattern = fs::temp_directory_path() / "pgr-physical-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  scratch_ = pattern;
  fs::permissions(scratch_, fs::perms(0755));
  provisioner_ = std::make_unique<LocalProvisioner>(runner_, scratch_ / "state");
  sandbox_ = provisioner_->create({.run_id = "physical-checks",
                                   .scenario = "contract",
                                   .type = "local",
                                   .postgres_major = installed_majors().back()},
                                  {});
  run("initdb", {"--pgdata", sandbox_->paths().data, "--username=postgres", "--data-checksums",
                 "--no-sync", "--no-locale", "--encoding=UTF8"});
  control_ = read_control_data(*sandbox_, sandbox_->paths().data, {});
  start();
  fill();
}

DamagedCluster::~DamagedCluster() {
  instance_.reset();
  sandbox_.reset();
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

void DamagedCluster::run(std::string_view program, std::vector<std::string> arguments) {
  const auto result = sandbox_->run({.program = sandbox_->program(program),
                                     .arguments = std::move(arguments),
                                     .timeout = startup_timeout},
                                    {});
  if (!result.succeeded()) {
    throw std::runtime_error(fmt::format("{}: {}{}", program, result.output, result.error_output));
  }
}

void DamagedCluster::start() {
  instance_ = std::make_unique<Instance>(*sandbox_, scratch_ / "postgresql.log");
  instance_->start(make_quarantine({.major = sandbox_->spec().postgres_major,
                                    .data = sandbox_->paths().data,
                                    .configuration = sandbox_->paths().configuration,
                                    .sockets = sandbox_->paths().sockets,
                                    .temporary = sandbox_->paths().temporary,
                                    .superuser = sandbox_->spec().superuser,
                                    .accounts = {sandbox_->spec().account, current_account().name},
                                    .control = control_,
                                    .memory = Bytes{std::uint64_t{512} << 20U},
                                    .cpus = 2}));
  if (!instance_->wait_until_accepting(startup_timeout, {})) throw std::runtime_error("no server");
}

void DamagedCluster::stop() {
  files_ = collect_relation_files(
      instance_->databases({}), [this](const std::string& database) { return connect(database); });
  instance_->stop({});
}

void DamagedCluster::disable_checksums() {
  run("pg_checksums", {"--disable", "--no-sync", "--pgdata", sandbox_->paths().data});
  control_ = read_control_data(*sandbox_, sandbox_->paths().data, {});
}

Connection DamagedCluster::connect(const std::string& database) {
  return instance_->connect(database.empty() ? "postgres" : database, ErrorKind::recovery, {});
}

void DamagedCluster::execute(const std::string& database,
                             const std::vector<std::string>& statements) {
  auto connection = connect(database);
  for (const auto& statement : statements) connection.query(statement);
}

void DamagedCluster::fill() {
  execute("postgres", {"set allow_in_place_tablespaces = on", "create tablespace far location ''",
                       "create database shop"});
  execute("shop",
          {"create extension amcheck", "create schema sales", "set search_path = sales, public",
           "create table \"Odd Name\" (id int primary key, t text)",
           "insert into \"Odd Name\" select g, md5(g::text) from generate_series(1, 2000) g",
           "create table orders (id int, t text)",
           "insert into orders select g, md5(g::text) from generate_series(1, 2000) g",
           "create index orders_t on orders (t)",
           "create table far_orders (id int, t text) tablespace far",
           "insert into far_orders select g, md5(g::text) from generate_series(1, 2000) g",
           "create table notes (id int primary key, body text)",
           "alter table notes alter body set storage external",
           "insert into notes select g, repeat('x', 5000) from generate_series(1, 20) g",
           "checkpoint"});
}

std::string DamagedCluster::file_of(const std::string& relation) {
  const std::vector<Field> name{relation};
  return connect("shop").query("select pg_relation_filepath($1::regclass)", name).text(0, 0);
}

void DamagedCluster::flip(const std::string& file, std::uint64_t offset) {
  auto content = content_of(file);
  content.at(offset) = static_cast<char>(~content.at(offset));
  replace(file, content);
}

void DamagedCluster::truncate(const std::string& file, std::uint64_t size) {
  fs::resize_file(sandbox_->paths().data / file, size);
}

std::string DamagedCluster::content_of(const std::string& file) const {
  std::ifstream stream(sandbox_->paths().data / file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void DamagedCluster::replace(const std::string& file, const std::string& content) {
  std::ofstream(sandbox_->paths().data / file, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace pgrehearse
