#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "harness/common/text.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/progress/file_progress.hpp"
#include "harness/reporting/progress/line_progress.hpp"
#include "harness/reporting/progress/live_line.hpp"
#include "harness/reporting/progress/silent_progress.hpp"
#include "harness/reporting/progress/terminal_progress.hpp"
#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {
namespace {

using Clock = std::chrono::steady_clock;

TEST(LiveLine, ShowsBarTimeAndDetail) {
  LivePhase phase{.name = "restore",
                  .fraction = 0.459,
                  .detail = "1.2 GB of 4.6 GB",
                  .elapsed = Seconds(63.7),
                  .expected = Seconds(202)};
  EXPECT_EQ(live_line(phase, 100, false),
            "  restore          [=========-----------]  45% 1min 4s of about 3min 22s  "
            "1.2 GB of 4.6 GB");
  phase.fraction.reset();
  phase.expected.reset();
  phase.elapsed = Seconds(0.94);
  EXPECT_EQ(live_line(phase, 100, false), "  restore          0s  1.2 GB of 4.6 GB");
}

TEST(LiveLine, ShowsTheRemainingTimeOfTheDrill) {
  LivePhase phase{.name = "restore",
                  .fraction = 0.5,
                  .detail = "2 GB of 4 GB, 20.0 MB/s",
                  .elapsed = Seconds(100),
                  .expected = Seconds(300),
                  .later_phases = Seconds(50)};
  EXPECT_EQ(remaining_time(phase), Seconds(150)) << "by what is done, not by earlier drills";
  EXPECT_EQ(live_line(phase, 110, false),
            "  restore          [==========----------]  50% 1min 40s of about 5min  2min 30s left  "
            "2 GB of 4 GB, 20.0 MB/s");
  EXPECT_EQ(live_line(phase, 50, false), "  restore  50% 1min 40s of about 5min  2 GB of...");
  phase.expected.reset();
  EXPECT_EQ(live_line(phase, 50, false), "  restore  50% 1min 40s  2min 30s left  2 GB o...");
  phase.fraction.reset();
  EXPECT_FALSE(remaining_time(phase));
  phase.expected = Seconds(30);
  EXPECT_EQ(remaining_time(phase), Seconds(50)) << "late already";
}

TEST(LiveLine, IsAlwaysShorterThanTheTerminal) {
  const LivePhase phase{.name = "a phase with a name that is far too long",
                        .fraction = 7.0,
                        .detail = std::string(300, 'x'),
                        .elapsed = Seconds(1e9),
                        .expected = Seconds(1e9)};
  for (int width = 27; width < 250; ++width) {
    EXPECT_LT(columns_of(live_line(phase, width, false)), static_cast<std::size_t>(width));
  }
}

TEST(LiveLine, ShowsControlCharactersOfTheDetail) {
  const LivePhase phase{.name = "checks", .detail = "\x1b[2J\n"};
  EXPECT_NE(live_line(phase, 80, false).find("\\x1b[2J\\n"), std::string::npos);
}

class TerminalProgressTest : public testing::Test {
 protected:
  // An interval longer than any test: only redraw() draws.
  TerminalProgress::Options options() {
    return {.width = [] { return 80; },
            .interval = std::chrono::hours(1),
            .now = [this] { return now_; }};
  }

  // The final screen, without cleared lines.
  std::string screen() const {
    std::string shown;
    std::string line;
    const auto text = out_.str();
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 4, "\r\x1b[K") == 0) {
        line.clear();
        i += 3;
      } else if (text[i] == '\n') {
        shown += line + "\n";
        line.clear();
      } else {
        line += text[i];
      }
    }
    return shown + line;
  }

  std::ostringstream out_;
  Clock::time_point now_;
};

TEST_F(TerminalProgressTest, FinishedPhasesRemainAndTheLiveLineIsCleared) {
  TerminalProgress progress(out_, options());
  progress.drill_started(passed_report());
  progress.phase_started("restore", Seconds(10));
  progress.phase_progress(0.5, "2 GB of 4 GB");
  now_ += std::chrono::seconds(5);
  progress.redraw();
  EXPECT_EQ(screen(),
            "weekly-orders  20261120T030000Z-1a2b3c4d\n"
            "  restore          [==========----------]  50% 5s of about 10s  2 GB of 4 GB");
  progress.phase_finished({.name = "restore", .seconds = 9.5, .completed = true});
  progress.phase_started("recover", {});
  progress.redraw();
  progress.phase_finished({.name = "recover", .seconds = 1.0});
  progress.check_finished({.name = "row_counts", .verdict = Verdict::fail, .summary = "2 differ"});
  progress.drill_finished(passed_report());
  EXPECT_EQ(screen(),
            "weekly-orders  20261120T030000Z-1a2b3c4d\n"
            "  restore                9.5s\n"
            "  recover            not done\n"
            "    FAIL     row_counts                2 differ\n");
}

TEST_F(TerminalProgressTest, ClearsItsLineWhenDestroyed) {
  {
    TerminalProgress progress(out_, options());
    progress.phase_started("restore", {});
    progress.redraw();
    EXPECT_NE(screen(), "");
  }
  EXPECT_EQ(screen(), "");
}

TEST_F(TerminalProgressTest, DoesNotRedrawWithoutChanges) {
  TerminalProgress progress(out_, options());
  progress.phase_started("restore", {});
  progress.redraw();
  const auto once = out_.str();
  progress.redraw();
  progress.phase_progress({}, "");
  progress.redraw();
  EXPECT_EQ(out_.str(), once);
}

// Checked by the thread sanitizer.
TEST_F(TerminalProgressTest, AcceptsProgressFromSeveralThreadsWhileDrawing) {
  auto quick = options();
  quick.interval = std::chrono::milliseconds(1);
  quick.now = Clock::now;
  TerminalProgress progress(out_, std::move(quick));
  progress.phase_started("checks", {});
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&progress, t] {
        for (int i = 0; i < 200; ++i) progress.phase_progress(i / 200.0, std::to_string(t));
        progress.check_finished({.name = "check", .verdict = Verdict::pass});
      });
    }
  }
  progress.drill_finished(passed_report());
  EXPECT_EQ(lines_of(screen()).size(), 4U);
}

TEST(FileProgressTest, WritesAndRemovesTheFileOfTheRun) {
  const auto runs = std::filesystem::path(testing::TempDir()) / "file-progress";
  const auto report = passed_report();
  const auto run = runs / report.scenario.name / report.id;
  std::filesystem::create_directories(run);
  {
    FileProgress progress(std::make_unique<SilentProgress>(), runs);
    progress.drill_started(report);
    EXPECT_FALSE(read_progress(run));
    PhaseExpectation expected(Seconds(20));
    expected.later_phases = Seconds(5);
    progress.phase_started("restore", expected);
    const auto stored = read_progress(run);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->id, report.id);
    EXPECT_EQ(stored->phase.name, "restore");
    EXPECT_NEAR(stored->remaining->count(), 25, 5);
    progress.phase_progress(0.5, "\xff<b>");
    progress.drill_finished(report);
    EXPECT_FALSE(read_progress(run)) << "the drill has ended";
    progress.drill_started(report);
    progress.phase_started("restore", {});
    EXPECT_TRUE(read_progress(run));
  }
  EXPECT_FALSE(read_progress(run)) << "also after an exception";
  std::ofstream(run / "progress.json") << "[1,";
  EXPECT_FALSE(read_progress(run));
  std::filesystem::remove_all(runs);
}

TEST(LineProgress, WritesOneEscapedLinePerPhaseAndCheck) {
  std::ostringstream out;
  LineProgress progress(out);
  const auto report = failed_report();
  progress.drill_started(report);
  progress.phase_started("restore", {});
  progress.phase_progress(0.5, "half");
  progress.phase_finished(report.phases[3]);
  progress.check_finished(
      {.name = "odd\n\x1b[1m", .verdict = Verdict::fail, .seconds = 2, .summary = "one"});
  progress.check_finished({.name = "amcheck", .verdict = Verdict::skipped});
  progress.drill_finished(report);
  EXPECT_EQ(out.str(),
            "weekly-orders: drill 20261120T030000Z-1a2b3c4d started\n"
            "weekly-orders: restore: 3min 22s, 4.6 GB, 23.3 MB/s\n"
            "weekly-orders: check odd\\n\\x1b[1m: FAIL in 2.0s: one\n"
            "weekly-orders: check amcheck: skipped\n"
            "weekly-orders: FAIL: 1 page of shop.public.orders does not match its checksum\n");
}

}  // namespace
}  // namespace pgrehearse
