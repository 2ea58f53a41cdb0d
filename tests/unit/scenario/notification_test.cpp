// The scenario's key `notify`.
#include <gmock/gmock.h>

#include "harness/scenario/notification/channel_table.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string errors_in(const std::string& channels) {
  return errors_of(scenario_head + "notify: " + channels + "\n");
}

TEST(NotificationKeys, AreReadWithTheirDefaults) {
  setenv("NOTIFY_SECRET", "s3cr3t", 1);
  const auto scenario = parse(scenario_head +
                              "notify:\n"
                              "  - slack: { url: \"${NOTIFY_SECRET}\" }\n"
                              "  - slack:\n"
                              "      name: dba\n"
                              "      url: { file: /etc/pgrehearse/slack }\n"
                              "      when: fail\n"
                              "      verdicts: [fail]\n"
                              "      attempts: 2\n"
                              "      timeout: 5s\n");
  const auto& specs = scenario.notifications;
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].channel, "slack");
  EXPECT_EQ(specs[0].name, "slack");
  EXPECT_EQ(specs[0].when, NotifyWhen::changed);
  EXPECT_EQ(specs[1].name, "dba");
  EXPECT_EQ(specs[1].when, NotifyWhen::fail);
  EXPECT_THAT(specs[1].verdicts, ElementsAre(Verdict::fail));
  EXPECT_EQ(specs[1].attempts, 2);
  EXPECT_EQ(specs[1].timeout, std::chrono::seconds(5));
}

// For each channel, the secret in the file instead of a reference to it.
TEST(NotificationKeys, SecretsInTheFileAreRejectedWithoutShowingThem) {
  for (const auto& channel : channel_table()) {
    for (const auto& key : channel.keys) {
      if (key.kind != KeyKind::secret) continue;
      const auto errors = errors_in("[" + std::string(channel.name) + ": { " +
                                    std::string(key.name) + ": s3cr3t }]");
      EXPECT_THAT(errors, HasSubstr("'" + std::string(key.name) +
                                    "' is a secret: it must come from the environment or"))
          << channel.name;
      EXPECT_THAT(errors, Not(HasSubstr("s3cr3t")));
    }
  }
}

TEST(NotificationKeys, MistakesAreReported) {
  setenv("NOTIFY_SECRET", "s3cr3t", 1);
  EXPECT_EQ(errors_in("slack"),
            "s.yaml:3:9: 'notify' must be a list of channels, not a single value | for example "
            "notify: [slack: { url: \"${SLACK_WEBHOOK_URL}\" }]\n");
  EXPECT_THAT(errors_in("[slak: { url: \"${NOTIFY_SECRET}\" }]"),
              HasSubstr("unknown notification channel 'slak' | did you mean 'slack'?"));
  EXPECT_THAT(errors_in("[slack]"), HasSubstr("missing key 'url' in channel 'slack'"));
  EXPECT_THAT(errors_in("[slack: { url: \"${NOTIFY_SECRET}\" }, slack: { url: "
                        "\"${NOTIFY_SECRET}\" }]"),
              HasSubstr("two channels are named 'slack'"));
  EXPECT_THAT(errors_in("[slack: { url: \"${NOTIFY_SECRET}\", verdicts: bad }]"),
              HasSubstr("'verdicts' may contain pass, fail and unknown"));
  EXPECT_THAT(errors_in("[slack: { url: \"${NOTIFY_SECRET}\", attempts: 0 }]"),
              HasSubstr("'attempts' must be from 1 to 100"));
  EXPECT_THAT(errors_in("[webhook: { url: \"https://user:pass@ops/\" }]"),
              HasSubstr("'url' is not a valid address"));
  EXPECT_THAT(errors_in("[command: { run: on-drill }]"), HasSubstr("full path of a program"));
  EXPECT_THAT(errors_in("[email: { server: mail, from: a@b, to: c@d }]"),
              HasSubstr("'server' is not a valid address"));
  EXPECT_THAT(errors_in("[email: { server: \"smtp://mail\", from: a@b, to: \"c@d\\nBcc: e@f\" }]"),
              HasSubstr("'from' and 'to' must be mail addresses"));
  EXPECT_THAT(errors_in("[email: { server: \"smtp://mail\", from: a@b, to: c@d, username: u, "
                        "password: \"${NOTIFY_SECRET}\", encryption: none }]"),
              HasSubstr("the password would be sent without encryption"));
  EXPECT_THAT(errors_in("[email: { server: \"smtp://mail\", from: a@b, to: c@d, username: u }]"),
              HasSubstr("'username' and 'password' require each other"));
}

TEST(NotificationKeys, PodDoesNotGetThem) {
  setenv("NOTIFY_SECRET", "s3cr3t", 1);
  const auto scenario = parse(scenario_head +
                              "sandbox: { type: kubernetes, image: pgrehearse }\n"
                              "notify: [slack: { url: \"${NOTIFY_SECRET}\" }]\n");
  EXPECT_THAT(scenario.inside_pod, Not(HasSubstr("notify")));
  EXPECT_THAT(scenario.inside_pod, Not(HasSubstr("s3cr3t")));
  EXPECT_EQ(scenario.notifications.size(), 1U);
}

}  // namespace
}  // namespace pgrehearse
