// Damage to the files of a stopped primary, as done by disks, controllers and people.
#include <fmt/format.h>

#include <fstream>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/faults/damage/heap_page.hpp"
#include "harness/faults/damage/repository_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

// The file of the relation's fork. Stores relation and file in the facts.
fs::path file_of(InjectionSite& site, const Settings& settings,
                 const std::string& key = "relation") {
  const auto relation = settings.get<std::string>(key).value();
  const auto found = site.files.find(relation);
  if (found == site.files.end()) {
    throw Error(ErrorKind::internal, fmt::format("the laboratory has no relation {}", relation));
  }
  const auto fork = settings.get_or<std::string>("fork", "main");
  const auto file = found->second + (fork == "main" ? "" : "_" + fork);
  site.facts["relation"] = "shop." + relation;
  site.facts["file"] = file;
  return primary_of(site).paths().data / file;
}

std::uint32_t block_of(InjectionSite& site, const Settings& settings, std::string_view key,
                       std::uint32_t otherwise) {
  const auto block = static_cast<std::uint32_t>(settings.get_or<std::int64_t>(key, otherwise));
  site.facts["block"] = std::to_string(block);
  return block;
}

}  // namespace

void flip_bits(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto block = block_of(site, settings, "block", 0);
  auto page = read_page(file, block);
  page.at(static_cast<std::size_t>(settings.get_or<std::int64_t>("offset", 5000))) ^= 0x10U;
  write_page(file, block, page);
}

void zero_page(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  write_page(file, block_of(site, settings, "block", 0), Page{});
}

void tear_page(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto block = block_of(site, settings, "block", 0);
  auto page = read_page(file, block);
  const auto earlier = read_page(site.earlier_data / site.facts["file"], block);
  if (page == earlier) throw Error(ErrorKind::internal, "the page has not changed");
  std::copy(earlier.begin() + page_size / 2, earlier.end(), page.begin() + page_size / 2);
  write_page(file, block, page);
}

void lose_write(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto block = block_of(site, settings, "block", 0);
  const auto earlier = read_page(site.earlier_data / site.facts["file"], block);
  if (read_page(file, block) == earlier) {
    throw Error(ErrorKind::internal, "the page has not changed");
  }
  write_page(file, block, earlier);
}

void misplace_page(InjectionSite& site, const Settings& settings) {
  fs::path from = file_of(site, settings);
  if (settings.has("from_relation")) from = file_of(site, settings, "from_relation");
  const auto file = file_of(site, settings);
  auto page = read_page(from, block_of(site, settings, "from", 1));
  const auto block = block_of(site, settings, "block", 0);
  store_checksum(page, block);
  write_page(file, block, page);
}

void set_future_xmin(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto block = block_of(site, settings, "block", 0);
  auto page = read_page(file, block);
  constexpr std::uint32_t far_ahead = 500000000;
  set_inserting_transaction(page, 0, far_ahead);
  store_checksum(page, block);
  write_page(file, block, page);
}

void lose_row(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto block = block_of(site, settings, "block", 0);
  auto page = read_page(file, block);
  kill_item(page, 1);
  store_checksum(page, block);
  write_page(file, block, page);
}

// Moves the last page to a second segment file, after a sparse first one of 1 GB.
void enlarge(InjectionSite& site, const Settings& settings) {
  constexpr std::uint32_t pages_of_a_file = 131072;  // RELSEG_SIZE
  const auto file = file_of(site, settings);
  const auto last = blocks_of(file) - 1;
  auto page = read_page(file, last);
  fs::resize_file(file, std::uintmax_t{last} * page_size);
  fs::resize_file(file, std::uintmax_t{pages_of_a_file} * page_size);
  store_checksum(page, pages_of_a_file);
  const auto second = fs::path(file) += ".1";
  std::ofstream(second, std::ios::binary)
      .write(reinterpret_cast<const char*>(page.data()), page_size);
  fs::permissions(second, fs::perms(0600));
  give_to(site, second);
}

void remove_data_file(InjectionSite& site, const Settings& settings) {
  auto file = file_of(site, settings);
  if (const auto segment = settings.get<std::int64_t>("segment")) {
    const auto suffix = fmt::format(".{}", *segment);
    file += suffix;
    site.facts["file"] += suffix;
  }
  if (!fs::remove(file)) {
    throw Error(ErrorKind::internal, fmt::format("{} does not exist", file.native()));
  }
}

void truncate_data_file(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  const auto keep = static_cast<std::uint64_t>(settings.get_or<std::int64_t>("blocks", 1));
  if (fs::file_size(file) <= keep * page_size) {
    throw Error(ErrorKind::internal,
                fmt::format("{} is not longer than the blocks to keep", file.native()));
  }
  fs::resize_file(file, keep * page_size);
}

void remove_database(InjectionSite& site, const Settings& settings) {
  const auto name = settings.get<std::string>("database").value();
  site.facts["file"] = site.files.at("database:" + name);
  fs::remove_all(primary_of(site).paths().data / site.facts["file"]);
}

void cut_file(InjectionSite& site, const Settings& settings) {
  const auto file = file_of(site, settings);
  fs::resize_file(file, fs::file_size(file) - page_size / 2);
}

void disable_checksums(InjectionSite& site, const Settings& /*settings*/) {
  const auto& laboratory = primary_of(site);
  const auto result = site.runner.run(
      laboratory.command(
          laboratory.program("pg_checksums"),
          {"--disable", "--no-sync", "--pgdata=" + laboratory.paths().data.native()}),
      site.stop);
  if (!result.succeeded()) throw Error(ErrorKind::internal, result.error_output);
}

// Two bits per transaction, four transactions per byte: 1 committed, 2 aborted.
void abort_transaction(InjectionSite& site, const Settings& settings) {
  const auto xid = std::stoul(site.facts.at(settings.get_or<std::string>("fact", "xid")));
  site.facts["file"] = "pg_xact/0000";
  std::fstream stream(primary_of(site).paths().data / "pg_xact/0000",
                      std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(xid / 4);
  const auto shift = (xid % 4) * 2;
  stream.seekg(at);
  const auto byte = static_cast<unsigned>(stream.get());
  stream.seekp(at);
  stream.put(static_cast<char>((byte & ~(3U << shift)) | (2U << shift)));
  if (!stream) throw Error(ErrorKind::internal, "pg_xact/0000 cannot be changed");
}

}  // namespace pgrehearse
