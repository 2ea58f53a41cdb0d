// Each recovery target is reached exactly, proved by the marks committed just before and just after
// it.
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

struct Target {
  std::string name;
  int mark = 0;            // the mark of the target; 0: none
  std::string recover_to;  // with %xid%, %lsn%, %time% of that mark
  int newest = 0;          // the newest mark that must be restored
};

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

class PointInTime : public DrillTest, public testing::WithParamInterface<Target> {
 protected:
  [[nodiscard]] std::string recover_to() const {
    auto text = GetParam().recover_to;
    if (GetParam().mark == 0) return text;
    const auto& mark = shared.marks.at(GetParam().mark);
    for (const auto& [word, value] : std::map<std::string, std::string>{
             {"%xid%", mark.xid}, {"%lsn%", mark.commit_lsn}, {"%time%", mark.time}}) {
      if (const auto at = text.find(word); at != std::string::npos) {
        text.replace(at, word.size(), value);
      }
    }
    return text;
  }
};

TEST_P(PointInTime, LandsBetweenTheMarks) {
  const auto newest = std::to_string(GetParam().newest);
  const auto run =
      run_scenario(scenario("recover_to: " + recover_to() + R"(
checks:
  - query:
      name: marks
      database: shop
      sql: select count(*) = )" +
                            newest + " and coalesce(max(step), 0) = " + newest + R"( from pitr.marks
      expect: true
)"));
  ASSERT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value());
  const auto& landing = run.report->landing;
  ASSERT_TRUE(landing.has_value());
  EXPECT_TRUE(landing->proved) << landing->proof;
  ASSERT_TRUE(landing->lsn.has_value());
  ASSERT_NE(run.check("marks"), nullptr);
  EXPECT_EQ(run.check("marks")->verdict, Verdict::pass) << run.findings();
  const auto xid_of = [&](int mark) {
    return static_cast<std::uint32_t>(std::stoul(shared.marks.at(mark).xid));
  };
  if (GetParam().newest > 0) {
    ASSERT_TRUE(landing->last_applied.has_value()) << landing->proof;
    EXPECT_EQ(landing->last_applied->xid, xid_of(GetParam().newest));
  }
  if (GetParam().newest > 0 && GetParam().newest < 6) {
    ASSERT_TRUE(landing->first_withheld.has_value()) << landing->proof;
    EXPECT_EQ(landing->first_withheld->xid, xid_of(GetParam().newest + 1));
  }
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(
    Targets, PointInTime,
    testing::Values(Target{"latest", 0, "latest", 6}, Target{"immediate", 0, "immediate", 0},
                    Target{"name", 0, "{ name: after_mark_1 }", 1},
                    Target{"lsn", 3, "{ lsn: %lsn% }", 3},
                    Target{"lsn_exclusive", 3, "{ lsn: %lsn%, exclusive: true }", 2},
                    Target{"xid", 4, "{ xid: %xid% }", 4},
                    Target{"xid_exclusive", 4, "{ xid: %xid%, exclusive: true }", 3},
                    Target{"time", 5, "{ time: \"%time%\" }", 5},
                    Target{"time_exclusive", 5, "{ time: \"%time%\", exclusive: true }", 4}),
    [](const auto& target) { return target.param.name; });

}  // namespace
}  // namespace pgrehearse
