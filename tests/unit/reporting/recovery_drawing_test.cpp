#include "harness/reporting/recovery_drawing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/reporting/html/drawing_svg.hpp"
#include "harness/reporting/time_axis.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Instant at(const char* text) { return *parse_instant(text); }

std::vector<std::string_view> kinds_of(const RecoveryDrawing::Row& row) {
  std::vector<std::string_view> kinds;
  for (const auto& bar : row.bars) kinds.push_back(bar.kind);
  return kinds;
}

std::optional<RecoveryDrawing> draw(const Report& report) {
  return draw_recovery(drawing_input(report));
}

TEST(RecoveryDrawing, ShowsWhatTheRepositoryOffersAndWhatTheDrillRecovered) {
  const auto drawing = draw(passed_report());
  ASSERT_TRUE(drawing);
  ASSERT_EQ(drawing->rows.size(), 2U);
  EXPECT_THAT(kinds_of(drawing->rows[0]), ElementsAre("recoverable"));
  EXPECT_THAT(kinds_of(drawing->rows[1]), ElementsAre("backup", "replayed", "lost"));
  EXPECT_THAT(drawing->description, HasSubstr("WAL replayed up to 2026-11-20 02:58:31 UTC"));
  EXPECT_THAT(drawing->description, HasSubstr("recovered to (0/D4000A8) 2026-11-20 02:58:31 UTC"));
}

TEST(RecoveryDrawing, IsZoomedToTheBackupInUse) {
  const auto drawing = draw(passed_report());
  ASSERT_EQ(drawing->backups.size(), 1U) << "the full backup of two days before is outside";
  EXPECT_TRUE(drawing->backups.front().chosen);
  EXPECT_LT(drawing->backups.front().x, 0.1);
  EXPECT_THAT(drawing->outside, HasSubstr("from 2026-11-18 02:00:00 UTC, are not shown"));
}

TEST(RecoveryDrawing, IsZoomedToWhatIsLostWithTheBackupBeforeIt) {
  DrawingInput input{
      .backups = {{.label = "a",
                   .type = "full",
                   .start_time = at("2026-11-01T00:00:00Z"),
                   .stop_time = at("2026-11-01T00:10:00Z"),
                   .stop_lsn = Lsn{100}},
                  {.label = "b",
                   .type = "full",
                   .start_time = at("2026-11-19T00:00:00Z"),
                   .stop_time = at("2026-11-19T00:10:00Z"),
                   .stop_lsn = Lsn{1000}}},
      .branches = {{.label = "timeline 1",
                    .ranges = {{.kind = "recoverable", .begin = Lsn{100}, .end = Lsn{1500}},
                               {.kind = "lost", .begin = Lsn{1500}, .end = Lsn{2000}},
                               {.kind = "missing", .begin = Lsn{1500}, .end = Lsn{1600}}}}},
      .known = {{Lsn{2000}, at("2026-11-20T00:10:00Z")}}};
  const auto drawing = draw_recovery(input);
  ASSERT_TRUE(drawing);
  EXPECT_EQ(drawing->backups.size(), 1U);
  ASSERT_THAT(kinds_of(drawing->rows[0]), ElementsAre("recoverable", "lost", "missing"));
  const auto& bars = drawing->rows[0].bars;
  EXPECT_NEAR(bars[1].begin, 0.5, 0.05) << "half of the WAL after backup b is lost";
  EXPECT_DOUBLE_EQ(bars[1].end, 1);
  EXPECT_LT(bars[2].end, bars[1].end);
}

TEST(RecoveryDrawing, ShowsTheTargetAndTheFirstWithheldCommit) {
  auto report = passed_report();
  report.landing->target_time = at("2026-11-20T02:58:45Z");
  report.landing->first_withheld =
      TransactionMark{.xid = 81235, .time = at("2026-11-20T02:59:00Z")};
  const auto drawing = draw(report);
  EXPECT_THAT(kinds_of(drawing->rows[1]), ElementsAre("backup", "replayed", "withheld"));
  ASSERT_EQ(drawing->marks.size(), 3U);
  EXPECT_EQ(drawing->marks[0].kind, "landing");
  EXPECT_EQ(drawing->marks[1].kind, "target");
  EXPECT_EQ(drawing->marks[2].kind, "drill");
}

TEST(RecoveryDrawing, NothingIsDrawnBeyondTheEdges) {
  auto report = passed_report();
  report.rpo.measured = 1e9;
  for (const auto& row : draw(report)->rows) {
    for (const auto& bar : row.bars) {
      EXPECT_GE(bar.begin, 0);
      EXPECT_LE(bar.end, 1.0001);
      EXPECT_GE(bar.end - bar.begin, 0.003) << "too thin to be seen";
    }
  }
}

TEST(RecoveryDrawing, NoPictureWithoutTwoTimes) {
  EXPECT_FALSE(draw(minimal_report()));
  EXPECT_TRUE(draw(killed_report())) << "the backup and the start of the drill";
}

TEST(RecoveryDrawing, SvgEscapesNamesAndHasNoStyleAttribute) {
  auto report = passed_report();
  report.archive->ranges[0].reason = "<script>alert(1)</script>\x1b[31m";
  const auto svg = drawing_svg(*draw(report));
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_EQ(svg.find("style="), std::string::npos);
}

TEST(TimeAxis, TicksAreRoundTimesOfTheZone) {
  const auto ticks = ticks_between(at("2026-11-20T02:07:00Z"), at("2026-11-20T05:50:00Z"), 5,
                                   std::chrono::minutes(330));
  std::vector<std::string> texts;
  for (const auto& tick : ticks) texts.push_back(tick.text);
  EXPECT_THAT(texts, ElementsAre("11-20 08:00", "09:00", "10:00", "11:00"));
}

TEST(TimeAxis, InterpolatesBetweenKnownPositionsOnly) {
  TimeAxis axis;
  axis.know(Lsn{100}, at("2026-11-20T00:00:00Z"));
  axis.know(Lsn{200}, at("2026-11-20T01:00:00Z"));
  axis.know(Lsn{150}, at("2026-11-20T02:00:00Z"));  // contradicts the order of WAL
  EXPECT_EQ(axis.time_of(Lsn{150}), at("2026-11-20T00:30:00Z"));
  EXPECT_EQ(axis.lsn_at(at("2026-11-20T00:15:00Z")), Lsn{125});
  EXPECT_FALSE(axis.time_of(Lsn{201}));
  EXPECT_FALSE(axis.lsn_at(at("2026-11-19T00:00:00Z")));
}

}  // namespace
}  // namespace pgrehearse
