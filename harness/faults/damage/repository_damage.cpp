// Damage to the backups in a repository and to its own records.
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

fs::path backups(const InjectionSite& site) {
  return site.repository / "backup" / site.traits.stanza;
}

const std::string& newest_set(const InjectionSite& site) { return site.traits.chain.back(); }

const std::string& full_set(const InjectionSite& site) { return site.traits.chain.front(); }

fs::path record_of(const InjectionSite& site, const std::string& name) {
  if (name == "archive.info") {
    return site.repository / "archive" / site.traits.stanza / name;
  }
  return name == "backup.info" ? backups(site) / name : backups(site) / newest_set(site) / name;
}

// Decrypted where it is encrypted.
std::string manifest_of_newest_set(InjectionSite& site) {
  const auto result = site.runner.run(
      {.program = site.pgbackrest,
       .arguments = {"--config=" + site.configuration.native(), "--stanza=" + site.traits.stanza,
                     "--log-level-file=off", "--log-level-console=off", "--log-level-stderr=error",
                     "repo-get",
                     fmt::format("backup/{}/{}/backup.manifest", site.traits.stanza,
                                 newest_set(site))},
       .account = site.account,
       .keep_output = std::size_t{1} << 30U},
      site.stop);
  if (!result.succeeded()) throw Error(ErrorKind::internal, result.error_output);
  return result.output;
}

// Not replaced by a later set: the newest restore needs it.
std::string largest_of_full_set(InjectionSite& site) {
  const bool alone = newest_set(site) == full_set(site);
  std::string largest;
  std::uint64_t most = 0;
  for (const auto& file : read_manifest(manifest_of_newest_set(site))) {
    const bool in_full = file.set == full_set(site) || (alone && file.set.empty());
    if (!in_full || file.bundled || file.size <= most || !file.name.starts_with("pg_data/base/")) {
      continue;
    }
    largest = file.name;
    most = file.size;
  }
  if (largest.empty()) {
    throw DoesNotApply("the restore needs no data file of the full set that is stored by itself");
  }
  return largest;
}

void spoil(const fs::path& file, const std::string& how) {
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

// A digit in the middle becomes another: the record can be read, and is not what was written.
void spoil_record(const fs::path& file, const std::string& how) {
  if (how != "flipped") return spoil(file, how);
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto digit = text.find_first_of("02468", text.size() / 2);
  flip_byte(file, digit == std::string::npos ? text.size() / 2 : digit, 1);
}

}  // namespace

void damage_repository_file(InjectionSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("file").value();
  const auto how = settings.get_or<std::string>("how", "lost");
  const auto copies = settings.get_or<std::string>("copies", "both");
  const auto file = record_of(site, name);
  site.facts["file"] = name;
  site.facts["set"] = newest_set(site);
  if (copies != "copy") spoil_record(file, how);
  if (copies != "main") spoil_record(fs::path(file) += ".copy", how);
}

void damage_backup_file(InjectionSite& site, const Settings& settings) {
  const auto how = settings.get_or<std::string>("how", "lost");
  if (const auto file = settings.get<std::string>("file")) {
    site.facts["set"] = newest_set(site);
    site.facts["file"] = *file;
    spoil(stored_file(backups(site) / newest_set(site), "pg_data/" + *file), how);
    return;
  }
  site.facts["set"] = full_set(site);
  const auto stored = largest_of_full_set(site);
  site.facts["file"] = stored.substr(std::string_view("pg_data/").size());
  spoil(stored_file(backups(site) / full_set(site), stored), how);
}

void remove_backup(InjectionSite& site, const Settings& settings) {
  const auto which = settings.get_or<std::string>("which", "full");
  const auto set = which == "full" ? full_set(site) : newest_set(site);
  site.facts["set"] = set;
  fs::remove_all(backups(site) / set);
}

// The drill's account may not read it any more.
void forbid(InjectionSite& site, const Settings& settings) {
  const auto directory = site.repository / settings.get_or<std::string>("part", "backup");
  site.facts["file"] = directory.native();
  fs::permissions(directory, fs::perms::none);
}

// Another cluster took the stanza over, as after pg_upgrade: its own sets are not there yet.
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
