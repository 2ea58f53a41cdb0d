// Faults of the drill itself: its scenario, tools and host.
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/faults/damage/repository_files.hpp"
#include "harness/laboratory/scenario_text.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// Replaces the value of an option; if `value` is empty, the line is removed.
std::string with_option(const std::string& text, const std::string& key, const std::string& value) {
  std::istringstream lines(text);
  std::string changed;
  for (std::string line; std::getline(lines, line);) {
    const bool named = line.starts_with(key);
    if (named && value.empty()) continue;
    changed += named ? key + value : line;
    changed += '\n';
  }
  return changed;
}

}  // namespace

void change_scenario(InjectionSite& site, const Settings& settings) {
  const auto values = settings.get<std::vector<std::string>>("values").value();
  for (const auto& value : values) {
    auto expanded = expand_scenario(value, site.facts);
    constexpr std::string_view stanza = "repository.stanza=";
    if (site.traits.tool == BackupTool::barman && expanded.starts_with(stanza)) {
      expanded.replace(0, stanza.size(), "repository.server=");
    }
    site.overrides.push_back(std::move(expanded));
  }
}

void use_other_cluster(InjectionSite& site, const Settings& settings) {
  const auto& other = site.other();
  auto connection = other.connect("postgres", site.stop);
  site.facts["other_system"] =
      connection.query("select system_identifier from pg_control_system()").text(0, 0);
  if (settings.get_or<std::string>("as", "primary") == "primary") {
    site.overrides.push_back("primary.dsn=" + other.dsn("postgres"));
    return;
  }
  const auto place = other.place();
  site.configuration = place.configuration;
  if (place.tool == BackupTool::basebackup) {
    site.overrides.push_back("repository.path=" + place.backups().native());
    site.overrides.push_back("repository.archive=" + place.archive().native());
  } else {
    site.overrides.push_back("repository.config=" + place.configuration.native());
  }
}

void change_option(InjectionSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("name").value();
  const auto value = settings.get_or<std::string>("value", "");
  site.facts["option"] = name;
  if (site.traits.tool == BackupTool::pgbackrest) {
    const auto text = with_option(text_of(site.configuration), name + "=", value);
    std::ofstream(site.configuration, std::ios::trunc) << text;
    return;
  }
  if (name != "repo1-path") throw DoesNotApply(name + " is an option of pgBackRest");
  if (site.traits.tool == BackupTool::basebackup) {
    site.overrides.push_back("repository.path=" + value);
    return;
  }
  const auto text = with_option(text_of(site.configuration), "barman_home = ", value);
  std::ofstream(site.configuration, std::ios::trunc) << text;
}

void change_passphrase(InjectionSite& site, const Settings& /*settings*/) {
  std::ifstream in(site.configuration);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::string key = "repo1-cipher-pass=";
  const auto at = text.find(key);
  if (at == std::string::npos) throw DoesNotApply("the repository is not encrypted");
  text.insert(at + key.size(), "another-");
  std::ofstream(site.configuration, std::ios::trunc) << text;
}

// Replaces some calls of the backup tool with shell commands. Plain PostgreSQL has only one call to
// replace: restore_command.
void wrap_tool(InjectionSite& site, const Settings& settings) {
  const bool restore = settings.get<std::string>("call").value() == "restore";
  if (const auto which = settings.get<std::string>("segment")) {
    site.facts["segment"] = segment_name(find_segment(site, *which));
  }
  const auto segment = site.facts["segment"];
  const auto file = site.directory / site.facts.at("tool");
  // $data: the data directory of the instance that fetches WAL.
  std::string data = "data=; for a; do case $a in --pg1-path=*) data=${a#--pg1-path=};; esac; done";
  auto pattern = restore ? std::string("*\" restore\"*") : fmt::format("*archive-get*{}*", segment);
  auto real = fmt::format("{} \"$@\"", site.pgbackrest);
  auto override = "repository.binary=" + file.native();
  if (site.traits.tool == BackupTool::barman) pattern = "*\" recover \"*";
  if (site.traits.tool == BackupTool::basebackup) {
    data = "data=; case $2 in /*/pg_wal/*) data=${2%/pg_wal/*};; esac";
    pattern = segment + "*";
    real = fmt::format("cp \"{}/$1\" \"$2\"", place_of(site).archive().native());
    override = fmt::format("repository.restore_command={} %f %p", file.native());
  }
  const auto command = expand_scenario(settings.get<std::string>("command").value(), site.facts);
  std::ofstream(file) << "#!/bin/sh\n"
                      << data << "\ncase \"$*\" in\n"
                      << pattern << ") " << command << " ;;\nesac\nexec " << real << '\n';
  fs::permissions(file, fs::perms(0755));
  give_to(site, file);
  site.overrides.push_back(std::move(override));
}

// PostgreSQL's binaries, with a wrapper of postgres that runs shell commands first.
void wrap_postgres(InjectionSite& site, const Settings& settings) {
  const auto& real = site.binaries;
  const auto directory = site.directory / "bin";
  fs::create_directory(directory);
  for (const auto& entry : fs::directory_iterator(real)) {
    const auto name = entry.path().filename();
    if (name != "postgres") fs::create_symlink(entry.path(), directory / name);
  }
  std::ofstream(directory / "postgres")
      << "#!/bin/sh\n"
      << expand_scenario(settings.get<std::string>("command").value(), site.facts) << "\nexec "
      << (real / "postgres").native() << " \"$@\"\n";
  fs::permissions(directory / "postgres", fs::perms(0755));
  give_to(site, directory);
  site.overrides.push_back("sandbox.binaries=" + directory.native());
}

// Mounts a small tmpfs for the sandbox.
void shrink_disk(InjectionSite& site, const Settings& settings) {
  const auto disk = site.directory / "disk";
  fs::create_directory(disk);
  auto megabytes = settings.get<std::int64_t>("megabytes").value();
  if (settings.get_or("enough", false)) {
    megabytes = std::max(megabytes, static_cast<std::int64_t>(site.minimum_disk >> 20U));
  }
  const auto options = fmt::format("size={}m,mode=1777", megabytes);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    throw CannotInject(fmt::format("a small file system cannot be mounted here: {}",
                                   std::generic_category().message(errno)));
  }
  site.mounts.push_back(disk);
  site.facts["disk"] = disk.native();
  site.overrides.push_back("sandbox.directory=" + disk.native());
}

}  // namespace pgrehearse
