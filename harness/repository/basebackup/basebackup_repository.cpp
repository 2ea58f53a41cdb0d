#include "harness/repository/basebackup/basebackup_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/basebackup/backup_files.hpp"
#include "harness/repository/basebackup/base_backup_restore.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes reading_deadline{30};
constexpr std::chrono::hours verify_deadline{12};

}  // namespace

BaseBackupRepository::BaseBackupRepository(RepositorySpec spec, CommandRunner& runner,
                                           Account account)
    : spec_(std::move(spec)), runner_(runner), account_(std::move(account)) {}

// The tools belong to PostgreSQL; which release made a backup is in the backup.
std::string BaseBackupRepository::version(std::stop_token /*stop*/) {
  return fmt::format("pg_basebackup, archive in {}", spec_.archive.native());
}

ArchiveFiles BaseBackupRepository::read_archive() const {
  const ActingAccount acting(account_);
  return list_archive_directory(spec_.archive);
}

std::optional<WalPageHeader> BaseBackupRepository::header_of(const fs::path& segment,
                                                             std::stop_token stop) {
  const auto extension = compression_of(segment);
  if (extension.empty()) {
    const ActingAccount acting(account_);
    std::ifstream stream(segment, std::ios::binary);
    std::string bytes(wal_page_header_size, '\0');
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    return parse_wal_page_header(bytes);
  }
  auto words = decompression(extension);
  words.push_back(segment);
  const auto result = runner_.run({.program = words.front(),
                                   .arguments = {words.begin() + 1, words.end()},
                                   .account = account_,
                                   .timeout = reading_deadline,
                                   .keep_output = std::size_t{1} << 31U,
                                   .unlisted = true},
                                  stop);
  throw_if_cancelled(result);
  return parse_wal_page_header(result.output);
}

std::string BaseBackupRepository::member_of(const fs::path& tar, const std::string& member,
                                            std::stop_token stop) {
  std::vector<std::string> arguments{"-x", "-O", "--occurrence=1", "-f", tar.native()};
  if (const auto extension = compression_of(tar); !extension.empty()) {
    arguments.push_back("--use-compress-program=" + decompression(extension).front());
  }
  arguments.push_back(member);
  const auto result = runner_.run({.program = "tar",
                                   .arguments = std::move(arguments),
                                   .account = account_,
                                   .timeout = reading_deadline},
                                  stop);
  throw_if_cancelled(result);
  return result.output;
}

BackupList BaseBackupRepository::list(std::stop_token stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  const auto archive = read_archive();
  std::vector<FoundBaseBackup> found;
  {
    const ActingAccount acting(account_);
    found = find_base_backups(
        spec_.path, archive,
        {.member = [&](const auto& tar, const auto& name) { return member_of(tar, name, stop); },
         .header = [&](const auto& segment) { return header_of(segment, stop); }});
  }
  BackupList list;
  for (auto& each : found) list.backups.push_back(std::move(each.backup));
  constexpr int no_backup = 2;
  list.status = list.backups.empty()
                    ? RepositoryStatus{no_backup, "no base backup in " + spec_.path.native()}
                    : RepositoryStatus{0, "ok"};
  list.repositories = {{1, list.status}};
  return list;
}

std::optional<std::uint64_t> BaseBackupRepository::wal_segment_size(const Backup& /*backup*/,
                                                                    std::stop_token stop) {
  const auto archive = read_archive();
  // The newest: an older one may be of another cluster or half removed.
  for (auto segment = archive.segments.rbegin(); segment != archive.segments.rend(); ++segment) {
    if (const auto header = header_of(segment->second.path, stop)) return header->segment_size;
  }
  return {};
}

ArchiveListing BaseBackupRepository::list_archive(const Backup& /*backup*/,
                                                  std::uint64_t segment_size,
                                                  std::stop_token stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  const auto listed_at = std::chrono::system_clock::now();
  const auto files = read_archive();
  auto listing = listing_of(files, segment_size);
  listing.listed_at = listed_at;
  listing.histories = read_histories(files, runner_, account_, stop);
  return listing;
}

BaseBackupPlace BaseBackupRepository::place_of(const Backup& backup) const {
  const ActingAccount acting(account_);
  if (const auto own = base_backup_in(spec_.path)) return *own;
  if (const auto below = base_backup_in(spec_.path / backup.label)) return *below;
  throw Error(ErrorKind::repository, fmt::format("backup {} is no longer there", backup.label),
              "run the drill again", FindingCode::repo_file_missing, backup.label);
}

void BaseBackupRepository::restore(const Backup& backup, const RecoveryTarget& target,
                                   Sandbox& sandbox,
                                   const std::function<void(const RestoreProgress&)>& on_progress,
                                   std::stop_token stop) {
  const auto place = place_of(backup);
  restore_base_backup(
      {.backup = backup, .place = place, .sandbox = sandbox, .on_progress = on_progress}, stop);
  write_recovery_signal(sandbox, target);
}

std::vector<std::string> BaseBackupRepository::archive_get(const Backup& /*backup*/,
                                                           const Sandbox& /*sandbox*/,
                                                           WalFetch /*fetch*/) {
  return fetch_from_directory(spec_.archive, spec_.restore_command);
}

RepositoryAccess BaseBackupRepository::access() {
  RepositoryAccess access{.paths = {spec_.path, spec_.archive}};
  // Tablespaces and pg_wal of a backup in plain format may be in other directories.
  const ActingAccount acting(account_);
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(spec_.path, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code gone;
    const bool link = entry->is_symlink(gone);
    const auto parent = entry->path().parent_path().filename();
    if (link && (parent == "pg_tblspc" || entry->path().filename() == "pg_wal")) {
      const auto target = fs::canonical(entry->path(), gone);
      if (!gone) access.paths.push_back(target);
    }
    constexpr int deepest = 2;
    if (entry.depth() >= deepest || entry->path().filename() == "base") {
      entry.disable_recursion_pending();
    }
  }
  return access;
}

BackupRepository::Verification BaseBackupRepository::verify(const Backup& backup,
                                                            std::stop_token stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
  const auto place = place_of(backup);
  if (place.format == BaseBackupFormat::tar) {
    throw Error(ErrorKind::environment,
                "pg_verifybackup cannot read a backup in tar format; its files were verified as "
                "they were restored",
                "set verify: false for the check backup_integrity", FindingCode::backup_unverified,
                backup.label);
  }
  const auto result =
      runner_.run({.program = find_binaries(backup.postgres_major, {}) / "pg_verifybackup",
                   .arguments = {"--no-parse-wal", "--quiet", place.directory},
                   .account = account_,
                   .timeout = verify_deadline},
                  stop);
  throw_if_cancelled(result);
  Verification verification{.ok = result.succeeded(),
                            .problems = parse_verifybackup(result.error_output),
                            .output = result.error_output};
  if (!verification.ok && verification.problems.empty()) {
    throw Error(ErrorKind::environment,
                "pg_verifybackup gave no result: " + std::string(trim(result.error_output)), {},
                FindingCode::env_tool);
  }
  return verification;
}

}  // namespace pgrehearse
