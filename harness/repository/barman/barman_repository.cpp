#include "harness/repository/barman/barman_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/barman/barman_output.hpp"
#include "harness/repository/basebackup/archive_directory.hpp"
#include "harness/repository/basebackup/backup_files.hpp"
#include "harness/repository/basebackup/base_backup_restore.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr minutes list_deadline{5};
constexpr hours restore_deadline{24};
constexpr hours verify_deadline{12};

std::string read(const fs::path& file, std::size_t most = std::string::npos) {
  std::ifstream stream(file, std::ios::binary);
  if (most == std::string::npos) return {std::istreambuf_iterator<char>(stream), {}};
  std::string bytes(most, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

Error failure_of(const CommandResult& result, const std::string& attempt, ErrorKind kind) {
  if (result.cancelled) return {ErrorKind::interrupted, attempt + " was interrupted"};
  if (result.timed_out) {
    return {ErrorKind::environment, attempt + " timed out", "check the storage of Barman",
            FindingCode::env_timeout};
  }
  const auto message = barman_message(result.error_output, result.output);
  auto text = fmt::format("{} failed: Barman reports {}", attempt, message);
  if (result.signal != 0) {
    return {ErrorKind::environment,
            fmt::format("{} failed: barman was killed by signal {}", attempt, result.signal),
            "run the drill again; the kernel log says whether memory ran out",
            FindingCode::env_tool, "barman"};
  }
  struct Cause {
    std::string_view words;
    FindingCode code;
    const char* hint;
  };
  for (const auto& cause : {Cause{"Permission denied", FindingCode::env_permission,
                                  "run the drill as Barman's account (sandbox.run_as)"},
                            Cause{".lock", FindingCode::env_permission,
                                  "another Barman command holds the lock, or it cannot be created"},
                            Cause{"No space left", FindingCode::env_disk_full,
                                  "free disk space for the sandbox, or set sandbox.directory"}}) {
    if (text.find(cause.words) != std::string::npos) {
      return {ErrorKind::environment, text, cause.hint, cause.code};
    }
  }
  const bool damage = kind == ErrorKind::restore;
  return {kind, text, damage ? "restore another backup, and take a new one" : "run 'barman check'",
          damage ? FindingCode::repo_damaged : FindingCode::repo_info};
}

}  // namespace

BarmanRepository::BarmanRepository(RepositorySpec spec, CommandRunner& runner, Account account,
                                   fs::path directory)
    : spec_(std::move(spec)),
      runner_(runner),
      account_(std::move(account)),
      directory_(std::move(directory)) {}

const BarmanConfiguration& BarmanRepository::configuration() {
  if (configuration_) return *configuration_;
  auto found = read_barman_configuration(spec_.configuration, spec_.stanza, account_);
  if (found.server.empty()) {
    const auto near = nearest(spec_.stanza, found.servers);
    throw Error(
        ErrorKind::usage, fmt::format("Barman's configuration has no server '{}'", spec_.stanza),
        near ? fmt::format("did you mean '{}'?", *near) : "servers: " + join(found.servers, ", "),
        FindingCode::repo_stanza, spec_.stanza);
  }
  write_file_of(account_, own_file(),
                own_barman_configuration(found, spec_.stanza, account_, directory_), 0600);
  return configuration_.emplace(std::move(found));
}

Command BarmanRepository::command(std::vector<std::string> arguments,
                                  std::chrono::milliseconds deadline) const {
  arguments.insert(arguments.begin(), {"--config", own_file().native()});
  return {.program = spec_.binary,
          .arguments = std::move(arguments),
          .account = account_,
          .timeout = deadline};
}

std::string BarmanRepository::version(std::stop_token stop) {
  const auto result = runner_.run({.program = spec_.binary,
                                   .arguments = {"--version"},
                                   .account = account_,
                                   .timeout = minutes(2)},
                                  stop);
  if (!result.succeeded()) {
    throw failure_of(result, "reading the Barman version", ErrorKind::environment);
  }
  const auto lines = lines_of(result.output);
  const auto first = lines.empty() ? std::string_view() : lines.front();
  return "Barman " + std::string(first.substr(0, first.find(' ')));
}

BarmanBackup BarmanRepository::read_backup(const std::string& id) {
  const ActingAccount acting(account_);
  return parse_backup_info(read(configuration().backups / id / "backup.info"), id);
}

BackupList BarmanRepository::list(std::stop_token stop) {
  configuration();
  const auto attempt = fmt::format("listing the backups of server '{}'", spec_.stanza);
  const auto result =
      runner_.run(command({"--format", "json", "list-backups", spec_.stanza}, list_deadline), stop);
  if (!result.succeeded()) throw failure_of(result, attempt, ErrorKind::repository);
  BackupList list;
  std::size_t unfinished = 0;
  for (const auto& listed : parse_barman_list(result.output, spec_.stanza)) {
    // Copied, and perhaps not all of its WAL is archived yet: that is found from the archive.
    if (listed.status != "DONE" && listed.status != "WAITING_FOR_WALS") {
      ++unfinished;
      continue;
    }
    list.backups.push_back(read_backup(listed.id).backup);
  }
  std::ranges::sort(list.backups, {}, &Backup::label);
  require_metadata(list.backups.empty() ? std::string() : list.backups.back().label);
  constexpr int no_backup = 2;
  list.status = list.backups.empty() ? RepositoryStatus{no_backup, "no complete backup"}
                                     : RepositoryStatus{0, "ok"};
  if (unfinished > 0) list.status.message += fmt::format(", {} failed or running", unfinished);
  list.repositories = {{1, list.status}};
  return list;
}

// Barman does not list a backup without backup.info, and a drill would restore an older one.
void BarmanRepository::require_metadata(const std::string& newest_listed) {
  const auto& directory = configuration().backups;
  const ActingAccount acting(account_);
  std::error_code failure;
  for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code gone;
    const auto id = entry->path().filename().native();
    if (id <= newest_listed || !entry->is_directory(gone)) continue;
    if (fs::exists(entry->path() / "backup.info", gone) || gone) continue;
    throw Error(ErrorKind::repository,
                fmt::format("backup {} has no backup.info: Barman does not list it", id),
                "take a new backup, and look for what removed the file",
                FindingCode::repo_file_missing, id + "/backup.info");
  }
  if (failure != std::errc::permission_denied) return;
  throw Error(ErrorKind::environment,
              fmt::format("cannot read the directory of backups {}: {}", directory.native(),
                          failure.message()),
              "run the drill as Barman's account (sandbox.run_as)", FindingCode::env_permission,
              directory);
}

std::optional<std::uint64_t> BarmanRepository::wal_segment_size(const Backup& backup,
                                                                std::stop_token /*stop*/) {
  const auto size = read_backup(backup.label).segment_size;
  return size == 0 ? std::nullopt : std::optional(size);
}

// With what waits for Barman's next archive-wal, which is every minute: PostgreSQL reports it as
// archived.
ArchiveFiles BarmanRepository::list_files(std::uint64_t segment_size) {
  const auto& found = configuration();
  const ActingAccount acting(account_);
  // First what may move to the archive meanwhile.
  std::error_code missing;
  ArchiveFiles incoming;
  if (fs::is_directory(found.incoming, missing)) incoming = list_archive_directory(found.incoming);
  auto files = list_archive_directory(found.archive);
  for (const auto& [name, file] : incoming.segments) {
    if (file.size.count == segment_size) files.segments.try_emplace(name, file);
  }
  files.histories.insert(incoming.histories.begin(), incoming.histories.end());
  return files;
}

ArchiveListing BarmanRepository::list_archive(const Backup& /*backup*/, std::uint64_t segment_size,
                                              std::stop_token stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  const auto listed_at = std::chrono::system_clock::now();
  const auto files = list_files(segment_size);
  auto listing = listing_of(files, segment_size);
  listing.listed_at = listed_at;
  std::erase(listing.unrecognized, "xlog.db");
  // Compressed segments keep their names.
  constexpr std::size_t magic_bytes = 4;
  for (auto& each : listing.segments) {
    if (each.size.count == segment_size) continue;
    const auto name = file_name(each.segment, segment_size);
    const ActingAccount acting(account_);
    each.file += compression_by_content(read(files.segments.at(name).path, magic_bytes));
  }
  listing.histories = read_histories(files, runner_, account_, stop);
  return listing;
}

void BarmanRepository::require_data(const Backup& backup) {
  const auto data = configuration().backups / backup.label / "data";
  const ActingAccount acting(account_);
  std::error_code unreadable;
  if (fs::exists(data, unreadable) || unreadable) return;
  throw Error(
      ErrorKind::restore,
      fmt::format("restore of backup {} failed: {} does not exist", backup.label, data.native()),
      "restore another backup, and take a new one", FindingCode::repo_file_missing, data);
}

void BarmanRepository::restore(const Backup& backup, const RecoveryTarget& target, Sandbox& sandbox,
                               const std::function<void(const RestoreProgress&)>& on_progress,
                               std::stop_token stop) {
  const auto found = read_backup(backup.label);
  require_data(backup);
  const auto& paths = sandbox.paths();
  const auto own = paths.pgbackrest / "barman";
  const auto made = sandbox.run({.program = "mkdir", .arguments = {"-p", own}}, stop);
  throw_if_cancelled(made);
  sandbox.write_file(own / "barman.conf",
                     own_barman_configuration(configuration(), spec_.stanza, account_, own));
  Command words{.program = spec_.binary,
                .arguments = {"--config", own / "barman.conf", "recover", "--get-wal"},
                .timeout = restore_deadline};
  for (const auto& [name, oid] : found.tablespaces) {
    words.arguments.insert(
        words.arguments.end(),
        {"--tablespace", fmt::format("{}:{}", name, (paths.tablespaces / oid).native())});
  }
  words.arguments.insert(words.arguments.end(), {spec_.stanza, backup.label, paths.data});
  const auto result = sandbox.run(words, stop);
  const auto attempt = "restore of backup " + backup.label;
  if (!result.succeeded()) {
    sandbox.require_sound(stop);
    throw failure_of(result, attempt, ErrorKind::restore);
  }
  const auto signals = sandbox.run(
      {.program = "rm",
       .arguments = {"-f", paths.data / "recovery.signal", paths.data / "standby.signal"}},
      stop);
  if (!signals.succeeded()) throw failure_of(signals, attempt, ErrorKind::environment);
  // Barman changes these, and renames the manifest.
  verify_restored_files({.sandbox = sandbox,
                         .backup = backup,
                         .manifest = "backup_manifest." + backup.label,
                         .ignored = {"postgresql.conf", "postgresql.conf.origin",
                                     "postgresql.auto.conf.origin", ".barman-recover.info"}},
                        stop);
  // backup.info has no checksum; backup_label is in the manifest.
  const auto label = sandbox.read_file(paths.data / "backup_label");
  if (!label.empty() && parse_backup_label(label).start_lsn != backup.start_lsn) {
    throw Error(ErrorKind::restore,
                fmt::format("backup.info of backup {} is damaged: the backup starts at {}, not at "
                            "{}",
                            backup.label, to_text(parse_backup_label(label).start_lsn),
                            to_text(backup.start_lsn.value_or(Lsn{}))),
                "restore another backup, and take a new one", FindingCode::repo_damaged,
                backup.label + "/backup.info");
  }
  write_recovery_signal(sandbox, target);
  if (on_progress) on_progress({.fraction = 1, .done = backup.size});
}

std::vector<std::string> BarmanRepository::archive_get(const Backup& /*backup*/,
                                                       const Sandbox& /*sandbox*/,
                                                       WalFetch /*fetch*/) {
  // `barman get-wal` decompresses into a temporary file in the archive itself (measured with 3.4).
  return fetch_from_directory(configuration().archive, {}, configuration().incoming);
}

RepositoryAccess BarmanRepository::access() {
  const auto& found = configuration();
  RepositoryAccess access{.paths = {found.backups, found.archive, directory_}, .remote = {}};
  const ActingAccount acting(account_);
  std::error_code missing;
  if (fs::is_directory(found.incoming, missing)) access.paths.push_back(found.incoming);
  return access;
}

BackupRepository::Verification BarmanRepository::verify(const Backup& backup,
                                                        std::stop_token stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  configuration();
  auto words = command({"verify-backup", spec_.stanza, backup.label}, verify_deadline);
  const auto programs = find_binaries(backup.postgres_major, {});
  words.environment["PATH"] = programs.native() + ":/usr/local/bin:/usr/bin:/bin";
  const auto result = runner_.run(words, stop);
  throw_if_cancelled(result);
  Verification verification{.ok = result.succeeded(),
                            .problems = parse_verifybackup(result.error_output + result.output),
                            .output = result.output + result.error_output};
  if (!verification.ok && verification.problems.empty()) {
    throw Error(ErrorKind::environment,
                "barman verify-backup gave no result: " +
                    barman_message(result.error_output, result.output),
                "it needs pg_verifybackup and a backup with backup_method = postgres",
                FindingCode::backup_unverified, backup.label);
  }
  return verification;
}

}  // namespace pgrehearse
