#include "harness/notify/due.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

// A drill's verdict and finding code.
struct Result {
  Verdict verdict = Verdict::pass;
  std::string code = {};
};
const Result pass{};
const Result gap{Verdict::fail, "PGR-WAL-GAP"};
const Result damaged{Verdict::fail, "PGR-BACKUP-ERROR"};
const Result unclear{Verdict::unknown, "PGR-ENV-DISK-FULL"};

struct Before {
  Result result;
  std::optional<Delivery> delivery = Delivery::sent;
};

bool is_due(const NotificationSpec& spec, const Result& now, std::optional<Before> before = {}) {
  std::optional<PreviousDrill> previous;
  if (before) {
    previous = PreviousDrill{.verdict = before->result.verdict, .code = before->result.code};
    if (before->delivery) {
      previous->outcomes = {{.name = spec.name, .delivery = *before->delivery}};
    }
  }
  const Message message{.verdict = now.verdict, .code = now.code};
  return !reason_not_to_send(spec, message, previous);
}

TEST(NotifyDueTest, ChangedMeansVerdictOrCause) {
  const NotificationSpec spec{.channel = "slack", .name = "slack"};
  EXPECT_TRUE(is_due(spec, pass));  // the first drill
  EXPECT_TRUE(is_due(spec, gap));
  EXPECT_FALSE(is_due(spec, pass, Before{pass}));
  EXPECT_TRUE(is_due(spec, gap, Before{pass}));
  EXPECT_FALSE(is_due(spec, gap, Before{gap}));
  EXPECT_TRUE(is_due(spec, damaged, Before{gap}));
  EXPECT_TRUE(is_due(spec, unclear, Before{gap}));
  EXPECT_TRUE(is_due(spec, pass, Before{gap}));
  EXPECT_TRUE(is_due(spec, pass, Before{unclear}));
}

TEST(NotifyDueTest, UndeliveredNotificationIsMadeUpFor) {
  const NotificationSpec spec{.channel = "slack", .name = "slack"};
  EXPECT_TRUE(is_due(spec, gap, Before{gap, Delivery::failed}));
  EXPECT_TRUE(is_due(spec, gap, Before{gap, std::nullopt}));
  EXPECT_FALSE(is_due(spec, gap, Before{gap, Delivery::not_due}));
}

TEST(NotifyDueTest, FailMeansEveryDrillThatDoesNotPass) {
  const NotificationSpec spec{.channel = "email", .name = "email", .when = NotifyWhen::fail};
  EXPECT_TRUE(is_due(spec, gap, Before{gap}));
  EXPECT_TRUE(is_due(spec, unclear, Before{unclear}));
  EXPECT_FALSE(is_due(spec, pass, Before{gap}));
}

TEST(NotifyDueTest, AlwaysIsLimitedByTheVerdicts) {
  const NotificationSpec spec{
      .channel = "email", .name = "email", .when = NotifyWhen::always, .verdicts = {Verdict::fail}};
  EXPECT_TRUE(is_due(spec, gap, Before{gap}));
  EXPECT_FALSE(is_due(spec, unclear, Before{gap}));
  EXPECT_FALSE(is_due(spec, pass, Before{gap}));
}

TEST(NotifyDueTest, IncidentsAreResolvedByEveryPassAndKeptByEveryFailure) {
  for (const auto when : {NotifyWhen::changed, NotifyWhen::fail, NotifyWhen::always}) {
    const NotificationSpec spec{
        .channel = "pagerduty", .name = "pagerduty", .when = when, .verdicts = {Verdict::fail}};
    EXPECT_TRUE(is_due(spec, pass, Before{gap}));
    EXPECT_TRUE(is_due(spec, pass, Before{pass}));
    EXPECT_TRUE(is_due(spec, gap, Before{gap}));
    EXPECT_FALSE(is_due(spec, unclear, Before{gap}));
  }
}

}  // namespace
}  // namespace pgrehearse
