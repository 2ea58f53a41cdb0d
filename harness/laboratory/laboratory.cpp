#include "harness/laboratory/laboratory.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view reader = "pgrehearse";

std::string end_of_output(const CommandResult& result) {
  const auto text = trim(result.error_output.empty() ? result.output : result.error_output);
  constexpr std::size_t enough = 2000;
  return std::string(text.size() > enough ? text.substr(text.size() - enough) : text);
}

Account account_for(const std::string& name) {
  if (!name.empty()) return find_account(name);
  return geteuid() == 0 ? find_account("postgres") : current_account();
}

}  // namespace

Laboratory::Laboratory(LaboratoryOptions options, CommandRunner& runner)
    : options_(std::move(options)),
      paths_(laboratory_paths(options_)),
      account_(account_for(options_.account)),
      runner_(runner) {
  if (options_.postgres_major == 0) options_.postgres_major = newest_installed_major();
  binaries_ = find_binaries(options_.postgres_major, options_.binaries);
  options_.account = account_.name;
}

std::unique_ptr<Laboratory> Laboratory::create(const LaboratoryOptions& options,
                                               CommandRunner& runner, const std::stop_token& stop) {
  std::unique_ptr<Laboratory> laboratory(new Laboratory(options, runner));
  laboratory->make_directories();
  laboratory->make_cluster(stop);
  return laboratory;
}

std::unique_ptr<Laboratory> Laboratory::open(const fs::path& root, CommandRunner& runner) {
  std::ifstream in(root / "laboratory.json");
  if (!in) {
    throw Error(ErrorKind::environment, fmt::format("{} is not a laboratory", root.native()));
  }
  auto options = laboratory_options_from_record({std::istreambuf_iterator<char>(in), {}});
  return std::unique_ptr<Laboratory>(new Laboratory(std::move(options), runner));
}

Laboratory::~Laboratory() {
  if (!owned_) return;
  try {
    destroy();
  } catch (const std::exception& failure) {
    // It is still registered: the next demo or `clean` removes it.
    spdlog::error("cannot remove laboratory {}: {}", options_.id, failure.what());
  }
}

RegistryEntry Laboratory::registry_entry() const {
  return {.run_id = options_.id,
          .type = std::string(laboratory_type),
          .scenario = "demo",
          .created = to_iso8601(std::chrono::system_clock::now()),
          .host = host_name(),
          .boot_id = boot_id(),
          .account = account_.name,
          .root = paths_.root,
          .sockets = paths_.sockets.parent_path() == paths_.root ? fs::path() : paths_.sockets};
}

void Laboratory::make_directories() {
  make_open_directories(paths_.root.parent_path());
  require_reachable(paths_.root.parent_path(), account_);
  if (fs::exists(fs::symlink_status(paths_.root))) {
    throw Error(ErrorKind::environment, fmt::format("{} already exists", paths_.root.native()));
  }
  // Register and lock before anything is created.
  owned_.emplace(Registry(options_.state).publish(registry_entry()));
  for (const auto& path :
       {paths_.root, paths_.tablespaces, paths_.sockets, paths_.logs, paths_.scripts,
        paths_.repository, paths_.pgbackrest, paths_.pgbackrest / "lock", paths_.pgbackrest / "log",
        paths_.pgbackrest / "spool"}) {
    make_private_directory(path, account_);
  }
  const auto write = [&](const fs::path& path, const std::string& content) {
    write_file_of(account_, path, content, 0600);
  };
  write(paths_.record, laboratory_record(options_));
  if (options_.tool == BackupTool::pgbackrest) {
    write(paths_.configuration, laboratory_pgbackrest_conf(options_, paths_, false));
    write(paths_.host_configuration, laboratory_pgbackrest_conf(options_, paths_, true));
  } else if (options_.tool == BackupTool::barman) {
    write(paths_.configuration, laboratory_barman_conf(options_, paths_));
  }
}

void Laboratory::copy_seed(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  run({.program = "cp",
       .arguments = {"-a", "--reflink=auto", "--no-target-directory", from.native(), to.native()}},
      stop);
}

void Laboratory::make_cluster(const std::stop_token& stop) {
  if (!options_.seed_repository.empty()) {
    copy_seed(options_.seed_repository, paths_.repository, stop);
  } else {
    make_repository_directories();
  }
  if (!options_.seed_data.empty()) {
    copy_seed(options_.seed_data, paths_.data, stop);
  } else {
    initialize_cluster(stop);
  }
  // The last of several equal settings applies: these override the seed's.
  const auto configuration = paths_.data / "postgresql.conf";
  write_file_of(
      account_, configuration,
      read_file_of(account_, configuration) + laboratory_postgresql_conf(options_, paths_), 0600);
}

void Laboratory::initialize_cluster(const std::stop_token& stop) {
  std::vector<std::string> arguments{
      "--pgdata=" + paths_.data.native(),
      "--username=postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--no-sync",
      fmt::format("--wal-segsize={}", options_.wal_segment_size.count >> 20U)};
  // PostgreSQL 18 enables checksums by default and has --no-data-checksums.
  if (options_.checksums) arguments.emplace_back("--data-checksums");
  if (!options_.checksums && options_.postgres_major >= 18) {
    arguments.emplace_back("--no-data-checksums");
  }
  arguments.insert(arguments.end(), options_.initdb_options.begin(), options_.initdb_options.end());
  run(command(program("initdb"), std::move(arguments)), stop);
}

Command Laboratory::command(std::string program, std::vector<std::string> arguments) const {
  Command command{.program = std::move(program),
                  .arguments = std::move(arguments),
                  .environment = {{run_label, options_.id}, {root_label, paths_.root.string()}},
                  .working_directory = paths_.root};
  if (geteuid() == 0) command.account = account_;
  return command;
}

CommandResult Laboratory::run(const Command& command, const std::stop_token& stop) {
  auto result = runner_.run(command, stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return result;
  throw Error(ErrorKind::environment,
              fmt::format("{} failed in the laboratory{}: {}",
                          fs::path(command.program).filename().native(),
                          result.timed_out ? " (timed out)" : "", end_of_output(result)),
              fmt::format("the logs are in {}", paths_.logs.native()));
}

std::string Laboratory::program(std::string_view name) const { return binaries_ / name; }

void Laboratory::start(const std::stop_token& stop) {
  run(command(program("pg_ctl"), {"start", "--wait", "--timeout=60", "--pgdata", paths_.data,
                                  "--log", paths_.logs / "postgresql.log"}),
      stop);
  auto connection = connect("postgres", stop);
  const auto known =
      connection.query("select from pg_roles where rolname = '" + std::string(reader) + "'");
  if (!known.rows.empty()) return;
  // Row-level security would hide rows from a comparison.
  connection.query(fmt::format("create role {} login bypassrls{}", reader,
                               options_.wal_level == "logical" ? " replication" : ""));
  connection.query(fmt::format("grant pg_monitor to {}", reader));
  constexpr int knows_read_all_data = 14;
  connection.query(
      options_.postgres_major >= knows_read_all_data
          ? fmt::format("grant pg_read_all_data to {}", reader)
          : fmt::format("alter default privileges grant select on tables to {}", reader));
  // To switch WAL segments, so that the position of a comparison is archived soon.
  connection.query(fmt::format(
      "grant execute on function pg_create_restore_point(text), pg_switch_wal() to {}", reader));
}

void Laboratory::reload(const std::stop_token& stop) {
  // A session that begins afterwards has the time at which the postmaster reread the files; it then
  // has signalled the archiver, too.
  const auto loaded = [&] {
    return connect("postgres", stop).query("select pg_conf_load_time()").text(0, 0);
  };
  const auto before = loaded();
  connect("postgres", stop).query("select pg_reload_conf()");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  const auto reread = [&] { return loaded() != before; };
  if (poll_until(deadline, std::chrono::milliseconds(20), stop, reread)) return;
  throw Error(ErrorKind::environment, "the configuration was not reread within two minutes");
}

void Laboratory::stop(const std::stop_token& stop) {
  const auto end = [&](const char* mode) {
    return command(program("pg_ctl"),
                   {"stop", "--wait", "--timeout=60", "--mode", mode, "--pgdata", paths_.data});
  };
  const auto fast = runner_.run(end("fast"), stop);
  if (!fast.succeeded()) run(end("immediate"), stop);
}

Connection Laboratory::connect(const std::string& database, const std::stop_token& stop) const {
  return Connection::open(
      {{"host", paths_.sockets}, {"port", "5432"}, {"user", "postgres"}, {"dbname", database}},
      stop);
}

void Laboratory::run_script(const std::string& name, std::string_view sql,
                            const std::map<std::string, std::string>& variables,
                            const std::stop_token& stop) {
  const auto file = paths_.scripts / (name + ".sql");
  write_file_of(account_, file, sql, 0600);
  std::vector<std::string> arguments{"--no-psqlrc",           "--quiet",
                                     "--set=ON_ERROR_STOP=1", "--host=" + paths_.sockets.native(),
                                     "--port=5432",           "--username=postgres",
                                     "--dbname=postgres",     "--file=" + file.native()};
  for (const auto& [variable, value] : variables) {
    arguments.push_back(fmt::format("--set={}={}", variable, value));
  }
  run(command(program("psql"), std::move(arguments)), stop);
}

std::string Laboratory::dsn(const std::string& database) const {
  // Single quotes are understood by libpq, and need no escape in the double quotes of a scenario.
  const auto& sockets = paths_.sockets.native();
  const std::string_view quote = sockets.find(' ') == std::string::npos ? "" : "'";
  return fmt::format("host={0}{1}{0} port=5432 user={2} dbname={3}", quote, sockets, reader,
                     database);
}

Removal Laboratory::destroy() {
  if (!owned_) {
    if (auto taken = Registry(options_.state).take(options_.id)) owned_.emplace(std::move(*taken));
  }
  auto removal = remove_local_sandbox(registry_entry());
  if (owned_ && removal.complete()) owned_->remove();
  owned_.reset();
  return removal;
}

void Laboratory::keep() {
  auto entry = registry_entry();
  entry.kept = true;
  if (owned_) owned_->write(entry);
  owned_.reset();
}

}  // namespace pgrehearse
