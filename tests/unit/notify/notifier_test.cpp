#include "harness/notify/notifier.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/unit/notify/notify_bench.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;
using testing::Not;

class NotifierTest : public testing::Test {
 protected:
  // The scenario is read with it.
  int set = setenv("NOTIFY_SECRET", "s3cr3t", 1);
  NotifyBench bench{"[slack: { url: \"http://hooks/${NOTIFY_SECRET}\", attempts: 3 }]"};
};

TEST_F(NotifierTest, TriesAgainWhenTheOtherSideIsDownOrBusy) {
  bench.http.statuses = {0, 503};
  const auto outcome = bench.send(failed_report()).at(0);
  EXPECT_EQ(outcome.delivery, Delivery::sent);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_EQ(outcome.reason, "");
}

TEST_F(NotifierTest, GivesUpAfterTheLastAttempt) {
  bench.http.statuses = {429, 429, 429, 200};
  const auto outcome = bench.send(failed_report()).at(0);
  EXPECT_EQ(outcome.delivery, Delivery::failed);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_THAT(outcome.reason, HasSubstr("HTTP status 429"));
}

TEST_F(NotifierTest, DoesNotRepeatARejectedMessage) {
  bench.http.statuses = {404, 200};
  const auto outcome = bench.send(failed_report()).at(0);
  EXPECT_EQ(outcome.delivery, Delivery::failed);
  EXPECT_EQ(outcome.attempts, 1);
}

TEST_F(NotifierTest, ReasonsContainNoSecrets) {
  for (const int status : {0, 400}) {
    bench.http.statuses = {status, status, status};
    const auto outcome = bench.send(failed_report()).at(0);
    EXPECT_EQ(outcome.delivery, Delivery::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("***"));
    EXPECT_THAT(outcome.reason, Not(HasSubstr("s3cr3t")));
  }
}

TEST_F(NotifierTest, TimeLimitCoversAllAttempts) {
  bench.scenario.notifications[0].timeout = std::chrono::milliseconds(20);
  bench.http.statuses = {503, 503, 503};
  auto services = bench.services();
  services.first_pause = std::chrono::hours(1);
  const auto outcomes = notify(bench.scenario.notifications,
                               message_of(bench.scenario, failed_report()), {}, services, {});
  EXPECT_EQ(outcomes.at(0).delivery, Delivery::failed);
  EXPECT_EQ(outcomes.at(0).attempts, 1);
}

TEST_F(NotifierTest, StopRequestEndsThePause) {
  bench.scenario.notifications[0].timeout = std::chrono::hours(100);
  bench.http.statuses = {503};
  auto services = bench.services();
  services.first_pause = std::chrono::hours(1);
  std::stop_source source;
  const std::jthread stopper([&](const std::stop_token&) {
    while (true) {
      const std::scoped_lock lock(bench.http.mutex);
      if (!bench.http.requests.empty()) break;
    }
    source.request_stop();
  });
  const auto outcomes =
      notify(bench.scenario.notifications, message_of(bench.scenario, failed_report()), {},
             services, source.get_token());
  EXPECT_EQ(outcomes.at(0).delivery, Delivery::failed);
}

TEST_F(NotifierTest, MissingSecretFileFailsOnlyItsOwnChannel) {
  NotifyBench two("[slack: { url: { file: /nonexistent/secret } }, webhook: { url: http://ops/ }]");
  const auto outcomes = two.send(failed_report());
  EXPECT_EQ(outcomes.at(0).delivery, Delivery::failed);
  EXPECT_THAT(outcomes.at(0).reason, HasSubstr("/nonexistent/secret"));
  EXPECT_EQ(outcomes.at(1).delivery, Delivery::sent);
}

TEST_F(NotifierTest, SecretIsTheFirstLineOfItsFile) {
  const auto file = testing::TempDir() + "notify-secret-" + std::to_string(getpid());
  std::ofstream(file) << "http://from/file \nsecond line\n";
  NotifyBench from_file("[slack: { url: { file: " + file + " } }]");
  from_file.send(failed_report());
  EXPECT_EQ(from_file.http.requests.at(0).url, "http://from/file");
  std::filesystem::remove(file);
}

TEST_F(NotifierTest, OutcomesSurviveInTheRunDirectory) {
  const auto directory =
      std::filesystem::path(testing::TempDir()) / ("outcomes-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  EXPECT_TRUE(load_outcomes(directory).empty());
  bench.http.statuses = {404};
  save_outcomes(bench.send(failed_report()), directory);
  const auto loaded = load_outcomes(directory);
  ASSERT_EQ(loaded.size(), 1U);
  EXPECT_EQ(loaded[0].name, "slack");
  EXPECT_EQ(loaded[0].delivery, Delivery::failed);
  EXPECT_EQ(loaded[0].attempts, 1);
  std::ofstream(directory / ".notifications.json") << "{";
  EXPECT_TRUE(load_outcomes(directory).empty());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace pgrehearse
