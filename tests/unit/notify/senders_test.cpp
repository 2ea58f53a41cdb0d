#include "harness/notify/senders.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness/scenario/notification/channel_table.hpp"
#include "tests/unit/notify/notify_bench.hpp"

namespace pgrehearse {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The first line of each message about failed_report().
std::string failed_title() { return message_of(parse(scenario_head), failed_report()).title; }

json body_of(const HttpRequest& request) { return json::parse(request.body); }

class SendersTest : public testing::Test {
 protected:
  SendersTest() { setenv("NOTIFY_SECRET", "s3cr3t", 1); }
};

TEST_F(SendersTest, TableHasOneRowPerChannel) {
  ASSERT_EQ(sender_table().size(), channel_table().size());
  for (const auto& channel : channel_table()) EXPECT_NE(sender_of(channel.name), nullptr);
}

TEST_F(SendersTest, TitleHasVerdictScenarioStanzaAndDiagnosis) {
  EXPECT_THAT(failed_title(), StartsWith("FAIL weekly, stanza orders: "));
  EXPECT_GT(failed_title().size(), std::string("FAIL weekly, stanza orders: ").size() + 10);
  EXPECT_THAT(failed_title(), Not(HasSubstr("\n")));
}

TEST_F(SendersTest, SlackShowsTheTitleFirstAndFormatsNothing) {
  NotifyBench bench("[slack: { url: \"http://hooks/${NOTIFY_SECRET}\" }]");
  auto report = failed_report();
  report.diagnosis.summary = "relation <!channel> & more is gone";
  bench.send(report);
  ASSERT_EQ(bench.http.requests.size(), 1U);
  EXPECT_EQ(bench.http.requests[0].url, "http://hooks/s3cr3t");
  const auto body = body_of(bench.http.requests[0]);
  EXPECT_EQ(body["text"],
            "FAIL weekly, stanza orders: relation &lt;!channel&gt; &amp; more is gone");
  EXPECT_EQ(body["blocks"][0]["text"]["type"], "plain_text");
  EXPECT_EQ(body["blocks"][0]["text"]["text"],
            "FAIL weekly, stanza orders: relation <!channel> & more is gone");
  EXPECT_THAT(body["blocks"][1]["text"]["text"].get<std::string>(), StartsWith("Likely cause: "));
  EXPECT_THAT(body["blocks"][2]["text"]["text"].get<std::string>(), StartsWith("Next step: "));
}

TEST_F(SendersTest, PagerDutyTriggersAndResolvesTheSameIncident) {
  NotifyBench bench("[pagerduty: { routing_key: \"${NOTIFY_SECRET}\" }]");
  bench.send(failed_report());
  bench.send(passed_report());
  ASSERT_EQ(bench.http.requests.size(), 2U);
  EXPECT_EQ(bench.http.requests[0].url, "https://events.pagerduty.com/v2/enqueue");
  const auto trigger = body_of(bench.http.requests[0]);
  EXPECT_EQ(trigger["routing_key"], "s3cr3t");
  EXPECT_EQ(trigger["event_action"], "trigger");
  EXPECT_EQ(trigger["dedup_key"], "pgrehearse/orders/weekly");
  EXPECT_EQ(trigger["payload"]["summary"], failed_title());
  EXPECT_EQ(trigger["payload"]["severity"], "critical");
  const auto resolve = body_of(bench.http.requests[1]);
  EXPECT_EQ(resolve["event_action"], "resolve");
  EXPECT_EQ(resolve["dedup_key"], trigger["dedup_key"]);
}

TEST_F(SendersTest, PagerDutySummaryIsCutAtACharacter) {
  NotifyBench bench("[pagerduty: { routing_key: \"${NOTIFY_SECRET}\" }]");
  auto report = failed_report();
  report.diagnosis.summary.clear();
  for (int i = 0; i < 1000; ++i) report.diagnosis.summary += "\xc3\xa9";
  bench.send(report);
  const auto summary = body_of(bench.http.requests.at(0))["payload"]["summary"].get<std::string>();
  EXPECT_LE(summary.size(), 1024U);
  EXPECT_THAT(summary, testing::EndsWith("\xc3\xa9..."));
}

TEST_F(SendersTest, AlertmanagerKeepsTheLabelsAndResolvesByTheEnd) {
  NotifyBench bench(
      "[alertmanager: { url: http://alerts:9093/, username: u, password: \"${NOTIFY_SECRET}\", "
      "ends_after: 2d }]");
  bench.send(failed_report());
  bench.send(passed_report());
  ASSERT_EQ(bench.http.requests.size(), 2U);
  EXPECT_EQ(bench.http.requests[0].url, "http://alerts:9093/api/v2/alerts");
  EXPECT_THAT(bench.http.requests[0].headers, ElementsAre("Authorization: Basic dTpzM2NyM3Q="));
  const auto firing = body_of(bench.http.requests[0]);
  const auto resolved = body_of(bench.http.requests[1]);
  EXPECT_EQ(firing[0]["labels"]["alertname"], "PgrehearseDrillFailed");
  EXPECT_EQ(firing[0]["labels"], resolved[0]["labels"]);
  EXPECT_EQ(firing[0]["annotations"]["summary"], failed_title());
  const auto finished = *failed_report().finished;
  EXPECT_EQ(firing[0]["endsAt"], to_iso8601(finished + std::chrono::hours(48)));
  EXPECT_EQ(resolved[0]["endsAt"], to_iso8601(*passed_report().finished));
  // The drill before may have been unknown.
  EXPECT_EQ(firing[1]["labels"]["alertname"], "PgrehearseDrillUnknown");
  EXPECT_EQ(firing[1]["endsAt"], to_iso8601(finished));
}

TEST_F(SendersTest, AlertmanagerKeepsAFailureWhileTheNextDrillIsUnknown) {
  NotifyBench bench("[alertmanager: { url: http://alerts:9093 }]");
  bench.send(killed_report());
  const auto alerts = body_of(bench.http.requests.at(0));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0]["labels"]["alertname"], "PgrehearseDrillUnknown");
  EXPECT_EQ(alerts[0]["labels"]["severity"], "warning");
}

TEST_F(SendersTest, TeamsGetsAnAdaptiveCardWithoutMarkdown) {
  NotifyBench bench("[teams: { url: \"http://flow/${NOTIFY_SECRET}\" }]");
  bench.send(failed_report());
  const auto body = body_of(bench.http.requests.at(0));
  const auto& card = body["attachments"][0]["content"];
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(card["type"], "AdaptiveCard");
  EXPECT_EQ(card["body"][0]["type"], "RichTextBlock");
  EXPECT_EQ(card["body"][0]["inlines"][0]["text"], failed_title());
  EXPECT_LT(bench.http.requests[0].body.size(), 28U * 1024U);
}

TEST_F(SendersTest, EmailRequiresStartTlsByDefault) {
  NotifyBench bench(
      "[email: { server: \"smtp://mail:587\", from: a@b, to: [c@d, e@f], username: u, password: "
      "\"${NOTIFY_SECRET}\" }]");
  bench.send(failed_report());
  ASSERT_EQ(bench.mails.size(), 1U);
  EXPECT_EQ(bench.servers[0].encryption, MailServer::Encryption::starttls);
  EXPECT_EQ(bench.servers[0].password, "s3cr3t");
  EXPECT_THAT(bench.mails[0].to, ElementsAre("c@d", "e@f"));
  EXPECT_THAT(failed_title(), StartsWith(bench.mails[0].subject.substr(0, 190)));
  EXPECT_THAT(bench.mails[0].text, StartsWith(failed_title() + "\nLikely cause: "));
}

TEST_F(SendersTest, WebhookSignsTheBody) {
  NotifyBench bench(
      "[webhook: { url: \"http://ops/x\", secret: \"${NOTIFY_SECRET}\", report: true }]");
  bench.send(failed_report(), PreviousDrill{.verdict = Verdict::pass});
  const auto& request = bench.http.requests.at(0);
  const auto body = body_of(request);
  EXPECT_EQ(body["verdict"], "fail");
  EXPECT_EQ(body["report"]["schema"], "pgrehearse.report/1");
  ASSERT_EQ(request.headers.size(), 1U);
  EXPECT_THAT(request.headers[0], StartsWith("X-Pgrehearse-Signature: sha256="));
  // The end-to-end test compares the signature with Python's.
  EXPECT_EQ(request.headers[0].size(), std::string("X-Pgrehearse-Signature: sha256=").size() + 64);
}

TEST_F(SendersTest, HeartbeatIsSentOnlyAfterAPass) {
  NotifyBench bench("[heartbeat: { url: \"http://beat/${NOTIFY_SECRET}\", when: always }]");
  for (const auto& report : {failed_report(), killed_report(), minimal_report()}) {
    EXPECT_EQ(bench.send(report).at(0).delivery, Delivery::not_due);
  }
  EXPECT_EQ(bench.send_test().at(0).delivery, Delivery::not_due);
  EXPECT_THAT(bench.http.requests, testing::IsEmpty());
  EXPECT_EQ(bench.send(passed_report()).at(0).delivery, Delivery::sent);
  EXPECT_EQ(bench.http.requests.at(0).method, "GET");
}

TEST_F(SendersTest, CommandGetsTheVerdictAndATimeLimit) {
  NotifyBench bench("[command: { run: [/opt/on-drill, --team, dba], timeout: 7s }]");
  bench.commands.on({"on-drill"}, ScriptedCommandRunner::success());
  bench.send(failed_report());
  const auto& command = bench.commands.commands().at(0);
  EXPECT_THAT(command.arguments, ElementsAre("--team", "dba"));
  EXPECT_EQ(command.environment.at("PGREHEARSE_VERDICT"), "fail");
  EXPECT_EQ(command.environment.at("PGREHEARSE_TITLE"), failed_title());
  EXPECT_LE(command.timeout, std::chrono::seconds(7));
}

TEST_F(SendersTest, FailingCommandIsRunAgainOnlyIfItAsksForIt) {
  NotifyBench bench("[command: { run: [/opt/on-drill], attempts: 3 }]");
  bench.commands.on({"on-drill"}, {ScriptedCommandRunner::failure(75, "busy\n"),
                                   ScriptedCommandRunner::failure(1, "line\nno such team\n")});
  const auto outcome = bench.send(failed_report()).at(0);
  EXPECT_EQ(outcome.delivery, Delivery::failed);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.reason, "exit code 1: no such team");
}

TEST_F(SendersTest, TestMessagesAreMarkedAndLeaveNoIncident) {
  NotifyBench bench(
      "[slack: { url: \"${NOTIFY_SECRET}\", when: fail, verdicts: fail }, pagerduty: { "
      "routing_key: \"${NOTIFY_SECRET}\" }]");
  EXPECT_THAT(bench.send_test(), testing::SizeIs(2));
  ASSERT_EQ(bench.http.requests.size(), 3U);
  std::vector<std::string> actions;
  for (const auto& request : bench.http.requests) {
    const auto body = body_of(request);
    if (body.contains("event_action")) {
      actions.push_back(body["event_action"]);
      EXPECT_EQ(body["dedup_key"], "pgrehearse/orders/weekly/test");
      EXPECT_EQ(body["payload"]["severity"], "info");
    } else {
      EXPECT_THAT(body["text"].get<std::string>(), StartsWith("TEST weekly, stanza orders: "));
    }
  }
  EXPECT_THAT(actions, ElementsAre("trigger", "resolve"));
}

}  // namespace
}  // namespace pgrehearse
