// Damage to the WAL archive: files that are gone, changed, doubled or strange.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/faults/actions.hpp"
#include "harness/faults/repository_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// The file of a segment as `which:` asks for it; the facts tell which one it was.
fs::path chosen_segment(PlantingSite& site, const Settings& settings) {
  auto file = find_segment(site, settings.get_or<std::string>("which", "middle"));
  site.facts["segment"] = file.filename().native().substr(0, 24);
  return file;
}

// The laboratories' segments have a megabyte: 4096 to a log file.
std::string start_of_segment(const std::string& name) {
  const auto number = std::stoul(name.substr(16), nullptr, 16);
  return fmt::format("{:X}/{:X}", std::stoul(name.substr(8, 8), nullptr, 16), number << 20U);
}

}  // namespace

void remove_segment(PlantingSite& site, const Settings& settings) {
  fs::remove(chosen_segment(site, settings));
}

void flip_segment(PlantingSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  flip_byte(file, fs::file_size(file) / 2);
}

void truncate_segment(PlantingSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  fs::resize_file(file, fs::file_size(file) / 2);
}

// The same segment with another content, as two servers that archive into one stanza leave it.
void duplicate_segment(PlantingSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  const auto other = find_segment(site, "first");
  const auto suffix = other.filename().native().substr(24);
  fs::copy_file(other, file.parent_path() / (site.facts["segment"] + suffix));
}

// Another cluster's content under this one's name.
void replace_segment(PlantingSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  auto& other = site.other();
  for (const auto& entry : fs::recursive_directory_iterator(other.paths().repository / "archive")) {
    const std::string name = entry.path().filename().native();
    if (!is_segment(entry.path())) continue;
    fs::remove(file);
    fs::copy_file(entry.path(), file.parent_path() / (site.facts["segment"] + name.substr(24)));
    give_to(site, file.parent_path());
    return;
  }
  throw Error(ErrorKind::internal, "the other cluster has archived nothing");
}

// What a drill or a standby leaves that was promoted with archiving on.
void add_timeline(PlantingSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  const auto archive = file.parent_path().parent_path();
  const auto timeline = settings.get_or<std::string>("timeline", "00000002");
  const auto segment = timeline + site.facts["segment"].substr(8);
  const auto directory = archive / segment.substr(0, 16);
  fs::create_directories(directory);
  fs::copy_file(file, directory / (segment + file.filename().native().substr(24)),
                fs::copy_options::overwrite_existing);
  site.facts["branch"] = segment;
  if (settings.get_or("history", true)) {
    std::ofstream(archive / (timeline + ".history"))
        << fmt::format("1\t{}\tno recovery target specified\n",
                       settings.get_or<std::string>("at", start_of_segment(site.facts["segment"])));
  }
  give_to(site, archive);
}

void remove_history(PlantingSite& site, const Settings& settings) {
  const auto name = settings.get_or<std::string>("timeline", "00000002") + ".history";
  site.facts["file"] = name;
  for (const auto& file : repository_files(site, "archive")) {
    if (file.filename().native().starts_with(name)) {
      fs::remove(file);
      return;
    }
  }
  throw Error(ErrorKind::internal, fmt::format("the archive has no {}", name));
}

}  // namespace pgrehearse
