// Damage to the WAL archive: missing, changed, duplicate and foreign files.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/faults/damage/repository_files.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// The file of the segment selected by `which`; stores its name in the facts.
fs::path chosen_segment(InjectionSite& site, const Settings& settings) {
  auto file = find_segment(site, settings.get_or<std::string>("which", "middle"));
  site.facts["segment"] = segment_name(file);
  return file;
}

// The first unused timeline.
std::string next_timeline(const InjectionSite& site) {
  return fmt::format("{:08X}", std::stoul(newest_timeline(site), nullptr, 16) + 1);
}

// The history of a timeline starts with that of its parent.
std::string history_of(const fs::path& archive, const std::string& timeline) {
  return text_of(archive / (timeline + ".history"));
}

// A segment in the middle of the newest timeline: a branch from an older timeline would look like
// an earlier failover.
fs::path on_newest_timeline(InjectionSite& site) {
  auto file = find_segment(site, "middle");
  const auto newest = newest_timeline(site);
  if (!segment_name(file).starts_with(newest)) {
    auto all = archived_segments(site);
    std::erase_if(all, [&](const auto& one) { return !segment_name(one).starts_with(newest); });
    if (all.size() < 3) {
      throw DoesNotApply(fmt::format("timeline {} has only {} segments", newest, all.size()));
    }
    file = all.at(1);
  }
  site.facts["segment"] = segment_name(file);
  return file;
}

}  // namespace

void remove_segment(InjectionSite& site, const Settings& settings) {
  fs::remove(chosen_segment(site, settings));
}

void flip_segment(InjectionSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  // The rest of an uncompressed segment may be unused. This is in the header of its first record.
  constexpr std::uint64_t first_record = 56;
  const bool compressed = fs::file_size(file) != site.traits.segment_size;
  flip_byte(file, compressed ? fs::file_size(file) / 2 : first_record);
}

void truncate_segment(InjectionSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  truncate_file(file, fs::file_size(file) / 2);
}

// A second file of the segment with other content, as after two servers archived to one stanza.
void duplicate_segment(InjectionSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  const auto other = find_segment(site, "first");
  const auto suffix = other.filename().native().substr(24);
  fs::copy_file(other, file.parent_path() / (site.facts["segment"] + suffix));
}

// Replaces the content with that of another cluster's segment.
void replace_segment(InjectionSite& site, const Settings& settings) {
  const auto file = chosen_segment(site, settings);
  auto& other = site.other();
  for (const auto& entry : fs::recursive_directory_iterator(other.place().archive())) {
    const std::string name = entry.path().filename().native();
    if (!is_segment(entry.path())) continue;
    fs::remove(file);
    fs::copy_file(entry.path(), file.parent_path() / (site.facts["segment"] + name.substr(24)));
    give_to(site, file.parent_path());
    return;
  }
  throw Error(ErrorKind::internal, "the second cluster has not archived any WAL");
}

// The traces of a copy or standby that was promoted with archiving on.
void add_timeline(InjectionSite& site, const Settings& settings) {
  auto file = chosen_segment(site, settings);
  if (settings.get_or<std::string>("which", "middle") == "middle") file = on_newest_timeline(site);
  const bool flat = site.traits.tool == BackupTool::basebackup;
  const auto archive = flat ? file.parent_path() : file.parent_path().parent_path();
  const auto parent = site.facts["segment"].substr(0, 8);
  const auto timeline = settings.get_or<std::string>("timeline", next_timeline(site));
  const auto segment = timeline + site.facts["segment"].substr(8);
  const auto directory = flat ? archive : archive / segment.substr(0, 16);
  fs::create_directories(directory);
  const auto branch = directory / (segment + file.filename().native().substr(24));
  fs::remove(branch);
  fs::copy_file(file, branch);
  site.facts["branch"] = segment;
  site.facts["timeline"] = timeline;
  site.facts["timeline_number"] = std::to_string(std::stoul(timeline, nullptr, 16));
  const auto first = parse_wal_segment(site.facts["segment"], site.traits.segment_size).value();
  if (settings.get_or("history", true)) {
    std::ofstream(archive / (timeline + ".history"))
        << history_of(archive, parent)
        << fmt::format("{}\t{}\tno recovery target specified\n", first.timeline,
                       settings.get_or<std::string>(
                           "at", to_text(start_of(first, site.traits.segment_size))));
  }
  give_to(site, archive);
}

void remove_history(InjectionSite& site, const Settings& settings) {
  const auto timeline = settings.get_or<std::string>("timeline", newest_timeline(site));
  const auto name = timeline + ".history";
  site.facts["file"] = name;
  site.facts["timeline"] = timeline;
  for (const auto& file : archive_files(site)) {
    if (file.filename().native().starts_with(name)) {
      fs::remove(file);
      return;
    }
  }
  throw DoesNotApply(fmt::format("the archive has no {}", name));
}

}  // namespace pgrehearse
