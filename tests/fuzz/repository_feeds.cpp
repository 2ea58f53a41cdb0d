#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/map/recovery_map.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/repository/barman/barman_output.hpp"
#include "harness/repository/basebackup/backup_files.hpp"
#include "harness/repository/basebackup/wal_page_header.hpp"
#include "harness/repository/pgbackrest/archive_listing.hpp"
#include "harness/repository/pgbackrest/pgbackrest_exit_code.hpp"
#include "harness/repository/pgbackrest/pgbackrest_info.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"
#include "harness/repository/pgbackrest/pgbackrest_restore.hpp"
#include "harness/repository/pgbackrest/pgbackrest_verification.hpp"
#include "harness/repository/pgbackrest/wal_segment_size.hpp"
#include "tests/fuzz/feeding.hpp"
#include "tests/fuzz/targets.hpp"

namespace pgrehearse {

namespace {

constexpr std::uint64_t segment_size = std::uint64_t{16} << 20U;

Backup set_at(const std::string& segment, Instant stop) {
  return {.label = "set-" + segment,
          .start_time = stop - std::chrono::minutes(1),
          .stop_time = stop,
          .start_segment = segment,
          .stop_segment = segment};
}

void draw(const RecoveryMap& map) {
  std::ostringstream json;
  write_map_json(map, json);
  must(nlohmann::json::accept(json.str()), "the map's JSON is JSON");
  std::ostringstream pictures;
  write_map_text(map, {}, pictures);
  write_map_svg(map, {}, pictures);
}

}  // namespace

// Files and output of the other tools.
static void feed_other_tools(std::string_view input) {
  may_refuse([&] { parse_backup_label(input); });
  may_refuse([&] { parse_backup_manifest(input); });
  parse_backup_history(input);
  for (const auto& problem : parse_verifybackup(input)) file_in(problem);
  may_refuse([&] { parse_barman_list(input, "main"); });
  may_refuse([&] { parse_backup_info(input, "20261128T033950"); });
  parse_wal_page_header(input);
}

void feed_pgbackrest_info(std::string_view input) {
  feed_other_tools(input);
  may_refuse([&] { stanza_names(input); });
  may_refuse([&] { parse_error_list(input); });
  may_refuse([&] {
    const auto list = parse_pgbackrest_info(input, "demo");
    for (const auto& backup : list.backups) deduce_segment_size(backup);
    choose_backup(list, {.stanza = "demo"}, {});
    choose_backup(list, {.stanza = "demo"},
                  {.type = TargetType::time, .time = Instant(std::chrono::hours(490000))});
  });
}

// Three parts: the listing, and the history files of timelines 2 and 3.
void feed_archive_listing(std::string_view input) {
  const auto [listing, second, third] = parts_of<3>(input);
  may_refuse([&, listing = listing, second = second, third = third] {
    auto archive = parse_archive_listing(listing, "15-1", segment_size).listing;
    if (!second.empty()) archive.histories[2] = parse_timeline_history(second);
    if (!third.empty()) archive.histories[3] = parse_timeline_history(third);
    const Instant night{std::chrono::hours(490000)};
    const auto sets =
        std::to_array({set_at("000000010000000000000003", night),
                       set_at("000000020000000000000007", night + std::chrono::hours(1))});
    RecoveryMap map{.stanza = "demo"};
    map.archives.push_back(map_archive(sets, archive));
    draw(map);
  });
}

void feed_pgbackrest_output(std::string_view input) {
  const auto message = parse_tool_message(input);
  static_cast<void>(message.decisive());
  may_refuse([&] {
    auto verification = parse_verification(input);
    if (!verification) return;
    const auto sets = std::to_array({set_at("000000010000000000000003", {})});
    static_cast<void>(take_damage(verification->problems, sets, {}));
  });
  parse_restore_progress(input);
  // For every kind of command: the code under test creates the Error.
  static_cast<void>(error_of_status(input, "listing"));
  for (const int code : {25, 28, 41, 75, 99, 126}) {
    static_cast<void>(
        error_of({.exit_code = code, .output = std::string(input)}, "restore", ErrorKind::restore));
    static_cast<void>(error_of({.exit_code = code, .error_output = std::string(input)}, "restore",
                               ErrorKind::restore));
  }
  static_cast<void>(nlohmann::json(excerpt(input)).dump());
}

}  // namespace pgrehearse
