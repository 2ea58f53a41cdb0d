// Damage to the backups and metadata files of a repository.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/faults/damage/manifest_files.hpp"
#include "harness/faults/damage/repository_files.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

fs::path backups(const InjectionSite& site) { return place_of(site).backups(); }

const std::string& newest_backup(const InjectionSite& site) { return site.traits.chain.back(); }

const std::string& full_backup(const InjectionSite& site) { return site.traits.chain.front(); }

// The metadata file that corresponds to one of pgBackRest.
fs::path record_of(const InjectionSite& site, const std::string& name) {
  const auto tool = site.traits.tool;
  const auto newest = backups(site) / newest_backup(site);
  if (tool == BackupTool::basebackup) {
    return newest / (name == "backup.info" ? "backup_label" : "backup_manifest");
  }
  if (tool == BackupTool::barman) {
    return newest / (name == "backup.info" ? "backup.info" : "data/backup_manifest");
  }
  if (name == "archive.info") return place_of(site).archive() / name;
  return name == "backup.info" ? backups(site) / name : backups(site) / newest_backup(site) / name;
}

// Decrypted if the repository is encrypted.
std::string manifest_of_newest_backup(InjectionSite& site) {
  const auto result = site.runner.run(
      {.program = site.pgbackrest,
       .arguments = {"--config=" + site.configuration.native(), "--stanza=" + site.traits.stanza,
                     "--log-level-file=off", "--log-level-console=off", "--log-level-stderr=error",
                     "repo-get",
                     fmt::format("backup/{}/{}/backup.manifest", site.traits.stanza,
                                 newest_backup(site))},
       .account = site.account,
       .keep_output = std::size_t{1} << 30U},
      site.stop);
  if (!result.succeeded()) throw Error(ErrorKind::internal, result.error_output);
  return result.output;
}

// Of a backup whose files are stored as they are.
std::string largest_stored_file(const InjectionSite& site) {
  const auto data = place_of(site).data_of(newest_backup(site));
  fs::path largest;
  for (const auto& entry : fs::recursive_directory_iterator(data / "base")) {
    if (!entry.is_regular_file()) continue;
    if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
  }
  return largest.lexically_relative(data);
}

// Not replaced by a later backup, so the newest restore needs it.
std::string largest_of_full_backup(InjectionSite& site) {
  const bool alone = newest_backup(site) == full_backup(site);
  std::string largest;
  std::uint64_t most = 0;
  for (const auto& file : read_manifest(manifest_of_newest_backup(site))) {
    const bool in_full = file.backup == full_backup(site) || (alone && file.backup.empty());
    if (!in_full || file.bundled || file.size <= most || !file.name.starts_with("pg_data/base/")) {
      continue;
    }
    largest = file.name;
    most = file.size;
  }
  if (largest.empty()) {
    throw DoesNotApply("the full backup has no unbundled data file that the restore needs");
  }
  return largest.substr(std::string_view("pg_data/").size());
}

void damage(const fs::path& file, const std::string& how) {
  if (how == "lost") {
    fs::remove(file);
  } else if (how == "empty") {
    truncate_file(file, 0);
  } else if (how == "truncated") {
    truncate_file(file, fs::file_size(file) / 2);
  } else {
    flip_byte(file, fs::file_size(file) / 2);
  }
}

// Changes a digit in the middle: the file remains readable but differs from what was written.
// Barman has no checksum for its backup.info: there it is a digit of the backup's start.
void damage_metadata(const fs::path& file, const std::string& how) {
  if (how != "flipped") return damage(file, how);
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto start = text.find("begin_xlog=");
  const auto digit = start == std::string::npos
                         ? text.find_first_of("02468", text.size() / 2)
                         : text.find_first_of("02468", text.find('/', start));
  flip_byte(file, digit == std::string::npos ? text.size() / 2 : digit, 1);
}

}  // namespace

void damage_repository_file(InjectionSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("file").value();
  const auto how = settings.get_or<std::string>("how", "lost");
  const auto copies = settings.get_or<std::string>("copies", "both");
  const auto file = record_of(site, name);
  site.facts["file"] = file.filename().native();
  site.facts["backup"] = newest_backup(site);
  if (copies != "copy") damage_metadata(file, how);
  if (site.traits.tool != BackupTool::pgbackrest) return;
  if (copies != "main") damage_metadata(fs::path(file) += ".copy", how);
}

void damage_backup_file(InjectionSite& site, const Settings& settings) {
  const auto how = settings.get_or<std::string>("how", "lost");
  if (const auto file = settings.get<std::string>("file")) {
    site.facts["backup"] = newest_backup(site);
    site.facts["file"] = *file;
    damage(stored_file(place_of(site).data_of(newest_backup(site)), *file), how);
    return;
  }
  site.facts["backup"] = full_backup(site);
  site.facts["file"] = site.traits.tool == BackupTool::pgbackrest ? largest_of_full_backup(site)
                                                                  : largest_stored_file(site);
  damage(stored_file(place_of(site).data_of(full_backup(site)), site.facts["file"]), how);
}

void remove_backup(InjectionSite& site, const Settings& settings) {
  const auto which = settings.get_or<std::string>("which", "full");
  const auto backup = which == "full" ? full_backup(site) : newest_backup(site);
  site.facts["backup"] = backup;
  // Barman's list of backups is in their directories.
  fs::remove_all(site.traits.tool == BackupTool::barman ? place_of(site).data_of(backup)
                                                        : backups(site) / backup);
}

// The drill's account can no longer read it.
void forbid(InjectionSite& site, const Settings& settings) {
  const bool of_backups = settings.get_or<std::string>("part", "backup") == "backup";
  const auto place = place_of(site);
  auto directory = of_backups ? place.backups() : place.archive();
  // pgBackRest's directory of all stanzas.
  if (place.tool == BackupTool::pgbackrest) directory = directory.parent_path();
  site.facts["file"] = directory.filename().native();
  fs::permissions(directory, fs::perms::none);
}

// Upgrades the stanza to another cluster, as after pg_upgrade, before its first backup.
void upgrade_stanza(InjectionSite& site, const Settings& /*settings*/) {
  const auto& other = site.other();
  auto paths = other.paths();
  paths.repository = site.repository;
  const auto configuration = site.directory / "upgraded.conf";
  write_file_of(other.account(), configuration,
                laboratory_pgbackrest_conf(other.options(), paths, false), 0600);
  const auto result =
      site.runner.run(other.command(other.options().pgbackrest,
                                    {"--config=" + configuration.native(),
                                     "--stanza=" + other.options().stanza, "stanza-upgrade"}),
                      site.stop);
  if (!result.succeeded()) throw Error(ErrorKind::internal, result.output + result.error_output);
}

}  // namespace pgrehearse
