#include "tests/stores/tool_laboratory.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/stores/certificates.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

ToolLaboratory::ToolLaboratory(const fs::path& scratch, CommandRunner& runner)
    : runner_(runner), own_(scratch / "tools") {
  laboratory_ = Laboratory::create({.id = "primary", .state = scratch}, runner_, {});
  make_private_directory(own_, laboratory_->account());
  configure();
  take_backups();
  execute("insert into public.orders values (-1, 'on the first timeline')");
  earlier_transaction_ =
      execute("insert into public.orders values (-2, 'also') returning pg_current_xact_id()");
  switch_wal();
  promote();
  newest_transaction_ = execute(
      "insert into public.orders values (0, 'after the backups') returning pg_current_xact_id()");
  newest_segment_ = switch_wal();
  run("barman", {"--quiet", "--config", barman().native(), "archive-wal", "main"});
  run("cp", {"-a", archive().native(), compressed_archive().native()});
  run("find", {compressed_archive().native(), "-type", "f", "-name", "0000000?00000000????????",
               "-exec", "gzip", "-1", "{}", "+"});
}

void ToolLaboratory::run(const std::string& program, std::vector<std::string> arguments) {
  run_for(*laboratory_, runner_, program, std::move(arguments));
}

std::string ToolLaboratory::execute(const std::string& sql) {
  const auto rows = laboratory_->connect("postgres", {}).query(sql);
  return rows.rows.empty() ? std::string() : rows.text(0, 0);
}

void ToolLaboratory::configure() {
  const auto& account = laboratory_->account();
  for (const auto& path : {base(), archive(), barman_home(), barman_home() / "main",
                           barman_home() / "main" / "incoming", own_ / "lock"}) {
    make_private_directory(path, account);
  }
  const auto connection =
      fmt::format("host={} user=postgres dbname=postgres", laboratory_->paths().sockets.native());
  write_file_of(
      account, barman(),
      fmt::format("[barman]\nbarman_home = {0}\nbarman_user = {1}\n"
                  "barman_lock_directory = {2}/lock\nlog_file = {2}/barman.log\n"
                  "compression = gzip\n\n[main]\ndescription = test\nconninfo = {3}\n"
                  "streaming_conninfo = {3} password=secret-of-barman-77aa\n"
                  "backup_method = postgres\nimmediate_checkpoint = true\narchiver = on\n",
                  barman_home().native(), account.name, own_.native(), connection),
      0600);
  // Written to the end before it has its name.
  const auto command = fmt::format(
      "archive_command = 'cp %p {0}/%f.part && mv {0}/%f.part {0}/%f && cp %p {1}/main/incoming/%f'"
      "\nautovacuum = off\n",
      archive().native(), barman_home().native());
  const auto file = laboratory_->paths().data / "postgresql.conf";
  write_file_of(account, file, read_file_of(account, file) + command, 0600);
  laboratory_->start({});
  const auto tablespace = laboratory_->paths().tablespaces / "fast";
  make_private_directory(tablespace, account);
  execute("create tablespace fast location '" + tablespace.native() + "'");
  execute(
      "create table public.orders as select id, md5(id::text) as text "
      "from generate_series(1, 20000) id");
  execute("create table public.lines tablespace fast as select * from public.orders");
}

void ToolLaboratory::take_backups() {
  const auto tablespace = (laboratory_->paths().tablespaces / "fast").native();
  const auto take = [&](const std::string& name, std::vector<std::string> options) {
    options.insert(options.begin(),
                   {"--pgdata=" + (base() / name).native(), "--checkpoint=fast", "--no-sync",
                    "--host=" + laboratory_->paths().sockets.native(), "--username=postgres"});
    run(laboratory_->program("pg_basebackup"), std::move(options));
  };
  take("plain", {"--tablespace-mapping=" + tablespace + "=" + (own_ / "fast").native()});
  // Barman takes no backup before a segment is archived.
  execute("select pg_create_restore_point('laboratory')");
  switch_wal();
  run("barman", {"--quiet", "--config", barman().native(), "archive-wal", "main"});
  run("barman", {"--quiet", "--config", barman().native(), "backup", "main"});
  take("tar", {"--format=tar", "--gzip"});
}

void ToolLaboratory::promote() {
  laboratory_->stop({});
  write_file_of(laboratory_->account(), laboratory_->paths().data / "standby.signal", "", 0600);
  laboratory_->start({});
  execute("select pg_promote()");
}

std::string ToolLaboratory::switch_wal() {
  const auto segment = execute("select pg_walfile_name(pg_switch_wal())");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  // After both copies.
  const auto archived = "select last_archived_wal >= '" + segment + "' from pg_stat_archiver";
  while (execute(archived) != "t") {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(segment + " was not archived");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return segment;
}

}  // namespace pgrehearse
