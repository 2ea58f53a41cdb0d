// Channels with everything they need, and what they sent.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "harness/notify/notifier.hpp"
#include "tests/fakes/sample_reports.hpp"
#include "tests/fakes/scripted_command_runner.hpp"
#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {

// Answers with the given statuses in turn, then with 200; status 0 refuses the connection.
class RecordingHttpClient final : public HttpClient {
 public:
  [[nodiscard]] HttpResponse send(const HttpRequest& request,
                                  const std::stop_token& stop) const override {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
    const std::scoped_lock lock(mutex);
    requests.push_back(request);
    if (statuses.empty()) return {.status = 200};
    const auto status = statuses.front();
    statuses.pop_front();
    if (status == 0) throw Error(ErrorKind::environment, "cannot connect to " + request.url);
    return {.status = status, .body = "rejected " + request.url};
  }

  mutable std::mutex mutex;
  mutable std::deque<int> statuses;
  mutable std::vector<HttpRequest> requests;
};

struct NotifyBench {
  // `channels`: the value of `notify`.
  explicit NotifyBench(const std::string& channels)
      : scenario(parse(scenario_head + "notify: " + channels + "\n")) {}

  std::vector<Outcome> send(const Report& report,
                            const std::optional<PreviousDrill>& previous = {}) {
    return notify(scenario.notifications, message_of(scenario, report), previous, services(), {});
  }
  std::vector<Outcome> send_test() {
    return notify_test(scenario.notifications, test_message(scenario, "host1", Instant{}),
                       services(), {});
  }
  NotifyServices services() {
    return {.transports = {.http = http,
                           .mail =
                               [this](const MailServer& server, const Mail& mail, auto, auto) {
                                 servers.push_back(server);
                                 mails.push_back(mail);
                               },
                           .commands = commands},
            .first_pause = std::chrono::milliseconds(1)};
  }

  Scenario scenario;
  RecordingHttpClient http;
  ScriptedCommandRunner commands;
  std::vector<MailServer> servers;
  std::vector<Mail> mails;
};

}  // namespace pgrehearse
