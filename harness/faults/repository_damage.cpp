// Damage to the backups in a repository and to its own records.
#include <fmt/format.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/faults/actions.hpp"
#include "harness/faults/repository_files.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

fs::path backups(const PlantingSite& site) {
  return site.repository / "backup" / site.laboratory.options().stanza;
}

std::string newest_set(const PlantingSite& site) {
  return fs::read_symlink(backups(site) / "latest").native();
}

std::string full_set(const PlantingSite& site) {
  const auto newest = newest_set(site);
  return newest.substr(0, newest.find('_'));
}

fs::path record_of(const PlantingSite& site, const std::string& name) {
  if (name == "archive.info") {
    return site.repository / "archive" / site.laboratory.options().stanza / name;
  }
  return name == "backup.info" ? backups(site) / name : backups(site) / newest_set(site) / name;
}

void spoil(const fs::path& file, const std::string& how) {
  if (how == "lost") {
    fs::remove(file);
  } else if (how == "empty") {
    fs::resize_file(file, 0);
  } else if (how == "truncated") {
    fs::resize_file(file, fs::file_size(file) / 2);
  } else {
    flip_byte(file, fs::file_size(file) / 2);
  }
}

}  // namespace

void damage_repository_file(PlantingSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("file").value();
  const auto how = settings.get_or<std::string>("how", "lost");
  const auto copies = settings.get_or<std::string>("copies", "both");
  const auto file = record_of(site, name);
  site.facts["file"] = name;
  site.facts["set"] = newest_set(site);
  if (copies != "copy") spoil(file, how);
  if (copies != "main") spoil(fs::path(file) += ".copy", how);
}

void damage_backup_file(PlantingSite& site, const Settings& settings) {
  const auto how = settings.get_or<std::string>("how", "lost");
  if (const auto file = settings.get<std::string>("file")) {
    site.facts["set"] = newest_set(site);
    site.facts["file"] = *file;
    spoil((backups(site) / newest_set(site) / "pg_data" / *file) += ".lz4", how);
    return;
  }
  // Of the full set and not replaced by a later one: the newest restore needs it.
  const auto full = backups(site) / full_set(site);
  const auto newest = backups(site) / newest_set(site);
  fs::path largest;
  for (const auto& entry : fs::recursive_directory_iterator(full / "pg_data" / "base")) {
    if (!entry.is_regular_file() || fs::exists(newest / entry.path().lexically_relative(full))) {
      continue;
    }
    if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
  }
  if (largest.empty()) throw Error(ErrorKind::internal, "the full set has no such file");
  site.facts["set"] = full_set(site);
  site.facts["file"] =
      fmt::format("base/{}/{}", largest.parent_path().filename().native(), largest.stem().native());
  spoil(largest, how);
}

void remove_backup(PlantingSite& site, const Settings& settings) {
  const auto which = settings.get_or<std::string>("which", "full");
  const auto set = which == "full" ? full_set(site) : newest_set(site);
  site.facts["set"] = set;
  fs::remove_all(backups(site) / set);
}

// The drill's account may not read it any more.
void forbid(PlantingSite& site, const Settings& settings) {
  const auto directory = site.repository / settings.get_or<std::string>("part", "backup");
  site.facts["file"] = directory.native();
  fs::permissions(directory, fs::perms::none);
}

// Another cluster took the stanza over, as after pg_upgrade: its own sets are not there yet.
void upgrade_stanza(PlantingSite& site, const Settings& /*settings*/) {
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
