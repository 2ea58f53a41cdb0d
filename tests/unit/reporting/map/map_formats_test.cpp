#include "harness/reporting/map/map_formats.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/common/text.hpp"
#include "harness/reporting/map/map_drawing.hpp"
#include "harness/reporting/printable.hpp"
#include "tests/fakes/golden.hpp"

namespace pgrehearse {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t size = std::uint64_t{16} << 20U;

RecoveryMap damaged() {
  const auto time = [](const char* text) { return parse_instant(text); };
  MapBranch branch{.timeline = 1,
                   .latest = true,
                   .archive_begin = {2 * size},
                   .archive_end = {100 * size},
                   .newest = {1, 99}};
  branch.windows.push_back(
      {.begin = {.lsn = {2 * size + 256}, .time = time("2026-11-20 01:00:01+00")},
       .end = {.lsn = {50 * size}, .time = time("2026-11-20 02:00:00.5+00")},
       .last = {1, 49},
       .last_record = Lsn{50 * size - 112},
       .backups = {"20261120-010000F"}});
  branch.losses.push_back({.begin = branch.windows[0].end,
                           .end = {.lsn = {100 * size},
                                   .not_before = time("2026-11-20 02:00:00+00"),
                                   .not_after = time("2026-11-20 05:00:00+00")},
                           .gaps = {{1, 50, 50}},
                           .reason = "segment <50> is missing"});
  branch.gaps = {{1, 50, 50}};
  branch.switches = {{1, {60 * size}}};
  branch.problems = {
      {LineageProblemKind::missing_history, "00000003.history", "is not there", true}};
  MapArchive archive{.id = "15-1", .postgres_version = "15", .segment_size = size, .segments = 97};
  archive.backups.push_back({.backup = {.label = "20261120-010000F",
                                        .start_time = *time("2026-11-20 00:59:00+00"),
                                        .stop_time = *time("2026-11-20 01:00:00+00"),
                                        .stop_lsn = Lsn{2 * size + 256}}});
  archive.branches.push_back(branch);
  archive.unreachable = {{3, 90, 95}};
  archive.unrecognized = {"odd"};
  RecoveryMap map{.stanza = "or\x1b<ders>"};
  map.archives.push_back(archive);
  map.lag = ArchiveLag{.primary_lsn = {101 * size}, .timeline = 1, .seconds = 1.5};
  map.unknown = {"archive lag: no connection"};
  return map;
}

std::string text_of(const RecoveryMap& map, const MapRenderOptions& options) {
  std::ostringstream out;
  write_map_text(map, options, out);
  return out.str();
}

TEST(MapFormats, GapNarrowerThanAColumnIsShown) {
  const auto map = damaged();
  const auto drawing = draw_archive(map.archives[0], {}, 4);
  ASSERT_TRUE(drawing);
  const auto cells = map_cells(drawing->rows.at(0), 10);
  EXPECT_EQ(cells.front(), MapCell::recoverable);
  EXPECT_EQ(cells.back(), MapCell::lost);
  EXPECT_EQ(std::ranges::count(cells, MapCell::missing), 1);
}

TEST(MapFormats, AxisHasTimesAndLsns) {
  const auto text =
      text_of(damaged(), {.width = 100, .at = parse_instant("2026-11-20 01:30:00+00")});
  EXPECT_THAT(text, HasSubstr("time (UTC)    "));
  EXPECT_THAT(text, HasSubstr("11-20 02:00"));
  EXPECT_THAT(text, HasSubstr("LSN (about)"));
  EXPECT_THAT(text, HasSubstr("^ target 2026-11-20 01:30:00 UTC"));
}

TEST(MapFormats, TextFitsTheWidthAndAsciiModeIsAscii) {
  for (const int width : {60, 80, 133}) {
    const auto text = text_of(damaged(), {.unicode = true, .width = width});
    for (const auto line : lines_of(text)) {
      EXPECT_LE(columns_of(line), static_cast<std::size_t>(width)) << line;
    }
    EXPECT_THAT(text, HasSubstr("█"));
  }
  const auto ascii = text_of(damaged(), {.unicode = false, .width = 80});
  EXPECT_TRUE(
      std::ranges::all_of(ascii, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  EXPECT_THAT(ascii, HasSubstr("just before 2026-11-20 02:00:00.500000 UTC"));
  EXPECT_THAT(ascii, HasSubstr("000000010000000000000032"));
}

TEST(MapFormats, JsonHasSchemaAndVerdict) {
  std::ostringstream out;
  write_map_json(damaged(), out);
  // docs/map.schema.json is held to this file.
  expect_golden("map_damaged.json", out.str());
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json.at("schema"), "pgrehearse.map/1");
  EXPECT_EQ(json.at("verdict"), "damaged");
  EXPECT_EQ(json.at("archives").at(0).at("timelines").at(0).at("gaps").at(0).at("first"),
            "000000010000000000000032");
  EXPECT_EQ(json.at("newest").at("time"), "2026-11-20T02:00:00.500000Z");
}

TEST(MapFormats, SvgEscapesUntrustedText) {
  std::ostringstream out;
  write_map_svg(damaged(), {}, out);
  EXPECT_THAT(out.str(), HasSubstr("segment &lt;50&gt; is missing"));
  EXPECT_THAT(out.str(), Not(HasSubstr("<ders>")));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out.str(), Not(HasSubstr("href")));
}

TEST(MapFormats, SaysThatNothingCanBeRecovered) {
  EXPECT_THAT(text_of({.stanza = "x"}, {}), HasSubstr("no backup: nothing can be recovered"));
}

}  // namespace
}  // namespace pgrehearse
