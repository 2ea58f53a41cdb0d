#include "harness/repository/basebackup/base_backup_restore.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/basebackup/backup_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::hours deadline{24};

class Restoring {
 public:
  Restoring(const BaseBackupRestore& restore, const std::stop_token& stop)
      : restore_(restore), sandbox_(restore.sandbox), stop_(stop) {}

  void run() {
    const auto& data = sandbox_.paths().data;
    if (restore_.place.format == BaseBackupFormat::plain) {
      copy(restore_.place.directory, data);
      copy_tablespaces();
    } else {
      extract_all();
    }
    require({.program = "chmod", .arguments = {"0700", data}});
    // Written above.
    verify_restored_files(
        {.sandbox = sandbox_, .backup = restore_.backup, .ignored = {"tablespace_map"}}, stop_);
    if (restore_.on_progress) restore_.on_progress({.fraction = 1, .done = restore_.backup.size});
  }

 private:
  [[noreturn]] void fail(const CommandResult& result, const std::string& what) {
    throw_if_cancelled(result);
    sandbox_.require_sound(stop_);
    const auto output = std::string(trim(result.error_output));
    const auto message = fmt::format(
        "restore of backup {} failed: {}: {}", restore_.backup.label, what,
        result.timed_out ? std::string("timed out") : std::string(output.substr(0, 500)));
    struct Cause {
      std::string_view words;
      FindingCode code;
      std::string_view hint;
    };
    for (const auto& cause :
         {Cause{"No space left on device", FindingCode::env_disk_full,
                "free disk space for the sandbox, or set sandbox.directory"},
          Cause{"Permission denied", FindingCode::env_permission,
                "give the account that runs the drill read permission on the backup"},
          Cause{"Cannot exec", FindingCode::env_binary, "install the program that it names"},
          Cause{"Cannot run", FindingCode::env_binary, "install the program that it names"}}) {
      if (output.find(cause.words) == std::string::npos) continue;
      throw Error(ErrorKind::environment, message, std::string(cause.hint), cause.code);
    }
    if (result.timed_out || result.signal != 0) {
      throw Error(ErrorKind::environment, message, {}, FindingCode::env_tool);
    }
    throw Error(ErrorKind::restore, message, "restore another backup, and take a new one",
                FindingCode::repo_damaged);
  }

  void require(Command command) {
    command.timeout = deadline;
    const auto what = fs::path(command.program).filename().native();
    const auto result = sandbox_.run(command, stop_);
    if (!result.succeeded()) fail(result, what);
  }

  std::string output_of(Command command) {
    command.timeout = std::chrono::minutes(10);
    const auto result = sandbox_.run(command, stop_);
    if (!result.succeeded()) fail(result, command.program);
    return result.output;
  }

  void report() {
    if (!restore_.on_progress || restore_.backup.size.count == 0) return;
    const auto done = sandbox_.size_of(sandbox_.paths().data);
    const auto fraction =
        static_cast<double>(done.count) / static_cast<double>(restore_.backup.size.count);
    restore_.on_progress({.fraction = std::min(fraction, 1.0), .done = done});
  }

  void copy(const fs::path& from, const fs::path& to) {
    require({.program = "cp",
             .arguments = {"-R", "-P", "--preserve=mode,timestamps", "--reflink=auto",
                           "--sparse=auto", (from / ".").native(), to.native()}});
    report();
  }

  // In plain format a tablespace is a symbolic link to where pg_basebackup put it.
  void copy_tablespaces() {
    const auto links = sandbox_.paths().data / "pg_tblspc";
    const auto found = output_of({.program = "find",
                                  .arguments = {links, "-mindepth", "1", "-maxdepth", "1", "-type",
                                                "l", "-printf", "%f %l\\n"}});
    for (const auto line : lines_of(found)) {
      const auto blank = line.find(' ');
      if (blank == std::string_view::npos) continue;
      const std::string id(line.substr(0, blank));
      const auto own = sandbox_.paths().tablespaces / id;
      require({.program = "mkdir", .arguments = {"-m", "0700", own}});
      copy(fs::path(std::string(line.substr(blank + 1))), own);
      require({.program = "ln", .arguments = {"-sfn", own, links / id}});
    }
    // pg_basebackup --waldir
    const auto wal = sandbox_.paths().data / "pg_wal";
    const auto target =
        output_of({.program = "find",
                   .arguments = {wal, "-maxdepth", "0", "-type", "l", "-printf", "%l\\n"}});
    if (trim(target).empty()) return;
    require({.program = "rm", .arguments = {wal}});
    require({.program = "mkdir", .arguments = {"-m", "0700", wal}});
    copy(fs::path(std::string(trim(target))), wal);
  }

  void extract(const fs::path& tar, const fs::path& into) {
    std::vector<std::string> arguments{"-x", "-f",          tar.native(),
                                       "-C", into.native(), "--no-same-owner"};
    if (const auto extension = compression_of(tar); !extension.empty()) {
      arguments.push_back("--use-compress-program=" + decompression(extension).front());
    }
    require({.program = "tar", .arguments = std::move(arguments)});
    report();
  }

  void extract_all() {
    const auto& data = sandbox_.paths().data;
    extract(restore_.place.tar, data);
    const auto extension = compression_of(restore_.place.tar);
    const auto files = output_of({.program = "find",
                                  .arguments = {restore_.place.directory, "-maxdepth", "1", "-name",
                                                "*.tar*", "-printf", "%f\\n"}});
    std::string map;
    for (const auto line : lines_of(files)) {
      const std::string file(line);
      const auto name = file.substr(0, file.find('.'));
      const auto path = restore_.place.directory / file;
      if (name == "pg_wal") {
        extract(path, data / "pg_wal");
      } else if (!name.empty() &&
                 std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
        const auto own = sandbox_.paths().tablespaces / name;
        require({.program = "mkdir", .arguments = {"-m", "0700", own}});
        extract(path, own);
        require({.program = "ln", .arguments = {"-sfn", own, data / "pg_tblspc" / name}});
        map += fmt::format("{} {}\n", name, own.native());
      }
    }
    // PostgreSQL makes the links again, from this file: with the primary's paths in it they would
    // lead out of the sandbox.
    if (!map.empty() || !sandbox_.read_file(data / "tablespace_map").empty()) {
      sandbox_.write_file(data / "tablespace_map", map);
    }
    // It is in the backup's directory, and verifies the files when they are extracted.
    const auto manifest = restore_.place.directory / "backup_manifest";
    const auto there = sandbox_.run({.program = "test", .arguments = {"-e", manifest}}, stop_);
    if (there.succeeded()) require({.program = "cp", .arguments = {manifest, data}});
  }

  const BaseBackupRestore& restore_;
  Sandbox& sandbox_;
  const std::stop_token& stop_;
};

}  // namespace

void restore_base_backup(const BaseBackupRestore& restore, const std::stop_token& stop) {
  Restoring(restore, stop).run();
}

void verify_restored_files(const RestoredFiles& files, const std::stop_token& stop) {
  auto& sandbox = files.sandbox;
  const auto& data = sandbox.paths().data;
  const auto has = [&](const fs::path& file) {
    return sandbox.run({.program = "test", .arguments = {"-e", file}}, stop).succeeded();
  };
  const auto program = sandbox.program("pg_verifybackup");
  const auto manifest = data / files.manifest;
  const auto missing = !has(manifest)  ? "it has no manifest"
                       : !has(program) ? "pg_verifybackup is not installed"
                                       : "";
  if (*missing != 0) {
    spdlog::warn("the restored files of backup {} were not verified: {}", files.backup.label,
                 missing);
    return;
  }
  std::vector<std::string> arguments{"--no-parse-wal", "--quiet",
                                     "--manifest-path=" + manifest.native(),
                                     "--ignore=" + files.manifest};
  for (const auto& file : files.ignored) arguments.push_back("--ignore=" + file);
  arguments.push_back(data);
  const auto result = sandbox.run(
      {.program = program, .arguments = std::move(arguments), .timeout = deadline}, stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return;
  const auto problems = parse_verifybackup(result.error_output);
  const auto first = problems.empty() ? std::string(trim(result.error_output)) : problems.front();
  const bool lost = first.find("present in the manifest but not on disk") != std::string::npos;
  // A message about the manifest itself quotes no file: "unrecognized checksum algorithm:
  // "CRC33C"".
  const bool of_a_file = first.find("file \"") != std::string::npos || lost ||
                         first.find("on disk but not in the manifest") != std::string::npos ||
                         first.find("has size") != std::string::npos;
  const auto object = of_a_file || problems.empty() ? file_in(first) : files.manifest;
  const auto more =
      problems.size() < 2 ? std::string() : fmt::format(" ({} problems)", problems.size());
  throw Error(problems.empty() ? ErrorKind::environment : ErrorKind::restore,
              fmt::format("restore of backup {} failed: pg_verifybackup reports {}{}",
                          files.backup.label, first, more),
              "restore another backup, and take a new one",
              problems.empty() ? FindingCode::env_tool
              : lost           ? FindingCode::repo_file_missing
                               : FindingCode::repo_damaged,
              object);
}

void write_recovery_signal(Sandbox& sandbox, const RecoveryTarget& target) {
  const auto& data = sandbox.paths().data;
  // Never ends by itself with `latest`: the drill proves that the end of the archive was reached.
  const bool standby = target.type == TargetType::latest;
  sandbox.write_file(data / (standby ? "standby.signal" : "recovery.signal"), "");
}

}  // namespace pgrehearse
