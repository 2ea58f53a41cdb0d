// The laboratory's repository: backups and archived WAL, with each backup tool.
#include <fmt/format.h>

#include <array>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr auto time_to_archive = std::chrono::minutes(2);

}  // namespace

CommandResult Laboratory::run_pgbackrest(std::vector<std::string> arguments,
                                         const std::stop_token& stop) {
  arguments.insert(arguments.begin(),
                   {"--config=" + paths_.configuration.native(), "--stanza=" + options_.stanza});
  return run(command(options_.pgbackrest, std::move(arguments)), stop);
}

void Laboratory::create_stanza(const std::stop_token& stop) {
  if (options_.tool == BackupTool::pgbackrest) run_pgbackrest({"stanza-create"}, stop);
}

void Laboratory::make_repository_directories() {
  const auto make = [&](const fs::path& directory) { make_private_directory(directory, account_); };
  if (options_.tool == BackupTool::basebackup) {
    make(place().backups());
    make(place().archive());
  } else if (options_.tool == BackupTool::barman) {
    // Barman creates the others.
    make(paths_.repository / options_.stanza);
    make(paths_.repository / options_.stanza / "incoming");
  }
}

std::string Laboratory::back_up(BackupType type, const std::stop_token& stop) {
  if (options_.tool != BackupTool::pgbackrest) {
    const auto earlier = list_backups();
    try {
      take_base_backup(true, stop);
    } catch (const Error& error) {
      if (std::string(error.what()).find("checksum") == std::string::npos) throw;
      refused_backup_ = error.what();
      // pg_basebackup may have removed it.
      for (const auto& backup : list_backups()) {
        if (!earlier.contains(backup)) fs::remove_all(backup);
      }
      take_base_backup(false, stop);
    }
    return place().newest_backup();
  }
  static constexpr std::array<std::string_view, 3> names{"full", "diff", "incr"};
  run_pgbackrest({fmt::format("--type={}", names.at(static_cast<std::size_t>(type))), "backup"},
                 stop);
  return place().newest_backup();
}

std::set<fs::path> Laboratory::list_backups() const {
  std::set<fs::path> backups;
  std::error_code none;
  for (fs::directory_iterator entry(place().backups(), none), end; !none && entry != end;
       entry.increment(none)) {
    backups.insert(entry->path());
  }
  return backups;
}

void Laboratory::take_base_backup(bool verify, const std::stop_token& stop) {
  constexpr auto no_verification = "--no-verify-checksums";
  if (options_.tool == BackupTool::basebackup) {
    const auto to = place().backups() / fmt::format("backup-{}", list_backups().size() + 1);
    std::vector<std::string> arguments{
        "--pgdata=" + to.native(),           "--checkpoint=fast", "--no-sync",
        "--host=" + paths_.sockets.native(), "--port=5432",       "--username=postgres"};
    if (!verify) arguments.emplace_back(no_verification);
    run(command(program("pg_basebackup"), std::move(arguments)), stop);
    return;
  }
  if (!verify) {
    // Barman has no option for this.
    make_private_directory(paths_.programs, account_);
    write_file_of(account_, paths_.programs / "pg_basebackup",
                  fmt::format("#!/bin/sh\n[ \"$1\" != --version ] || exec {0} \"$@\"\n"
                              "exec {0} \"$@\" {1}\n",
                              program("pg_basebackup"), no_verification),
                  0700);
  }
  // Barman takes no backup before the first segment is in its archive.
  switch_wal_and_wait(stop);
  run_barman("backup", stop);
  run_barman("archive-wal", stop);
}

CommandResult Laboratory::run_barman(const std::string& subcommand, const std::stop_token& stop) {
  auto words = command(options_.barman, {"--quiet", "--config", paths_.configuration.native(),
                                         subcommand, options_.stanza});
  words.environment["PATH"] = binaries_.native() + ":/usr/local/bin:/usr/bin:/bin";
  return run(words, stop);
}

std::string Laboratory::switch_wal_and_wait(const std::stop_token& stop) {
  auto connection = connect("postgres", stop);
  // pg_switch_wal() does nothing unless a record was written since the last switch.
  connection.query("select pg_create_restore_point('laboratory')");
  auto segment = connection.query("select pg_walfile_name(pg_switch_wal())").text(0, 0);
  const auto deadline = std::chrono::steady_clock::now() + time_to_archive;
  std::string last_failed;
  const auto archived = [&] {
    const auto state = connection.query(
        "select coalesce(last_archived_wal, ''), coalesce(last_failed_wal, '') "
        "from pg_stat_archiver");
    last_failed = state.text(0, 1);
    // On one timeline, names sort like positions; names of backup and history files are longer.
    return state.text(0, 0).substr(0, 24) >= segment;
  };
  if (poll_until(deadline, std::chrono::milliseconds(50), stop, archived)) {
    if (options_.tool == BackupTool::barman) run_barman("archive-wal", stop);
    return segment;
  }
  throw Error(ErrorKind::environment,
              fmt::format("segment {} was not archived within two minutes", segment),
              fmt::format("the last failed segment is '{}'", last_failed));
}

std::vector<fs::path> Laboratory::archived_files(const std::string& segment) const {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(place().archive(), failure), end; entry != end;
       entry.increment(failure)) {
    if (entry->path().filename().native().starts_with(segment)) files.push_back(entry->path());
  }
  return files;
}

}  // namespace pgrehearse
