// Faults of the drill itself: its scenario, tools and host.
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/faults/damage/repository_files.hpp"
#include "harness/laboratory/scenario_text.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

void change_scenario(InjectionSite& site, const Settings& settings) {
  const auto values = settings.get<std::vector<std::string>>("values").value();
  for (const auto& value : values) {
    site.overrides.push_back(expand_scenario(value, site.facts));
  }
}

void use_other_cluster(InjectionSite& site, const Settings& settings) {
  const auto& other = site.other();
  auto connection = other.connect("postgres", site.stop);
  site.facts["other_system"] =
      connection.query("select system_identifier from pg_control_system()").text(0, 0);
  const bool primary = settings.get_or<std::string>("as", "primary") == "primary";
  site.overrides.push_back(primary ? "primary.dsn=" + other.dsn("postgres")
                                   : "repository.config=" + other.paths().configuration.native());
  if (!primary) site.configuration = other.paths().configuration;
}

void change_pgbackrest_option(InjectionSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("name").value();
  const auto value = settings.get_or<std::string>("value", "");
  const auto beginning = name + "=";
  std::ifstream in(site.configuration);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    const bool named = line.starts_with(beginning);
    if (named && value.empty()) continue;
    text += named ? beginning + value : line;
    text += '\n';
  }
  site.facts["option"] = name;
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

// A wrapper of pgBackRest that runs shell commands when its arguments match a shell pattern.
void wrap_pgbackrest(InjectionSite& site, const Settings& settings) {
  if (const auto which = settings.get<std::string>("segment")) {
    site.facts["segment"] = segment_name(find_segment(site, *which));
  }
  const auto pattern = expand_scenario(settings.get<std::string>("when").value(), site.facts);
  const auto command = expand_scenario(settings.get<std::string>("command").value(), site.facts);
  const auto file = site.directory / "pgbackrest";
  std::ofstream(file) << "#!/bin/sh\ncase \"$*\" in\n"
                      << pattern << ") " << command << " ;;\nesac\nexec " << site.pgbackrest
                      << " \"$@\"\n";
  fs::permissions(file, fs::perms(0755));
  give_to(site, file);
  site.facts["program"] = file.native();
  site.overrides.push_back("repository.binary=" + file.native());
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
