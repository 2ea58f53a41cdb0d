#include "harness/cli/notifications.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <functional>
#include <memory>

#include "harness/cli/wiring.hpp"
#include "harness/common/host_name.hpp"
#include "harness/http/curl_http_client.hpp"
#include "harness/notify/notifier.hpp"
#include "harness/report/headline.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

namespace {

// What messages are sent with.
class Sending {
 public:
  Sending()
      : http_({.connect_timeout = std::chrono::seconds(10), .proxy_from_environment = true}),
        commands_(real_command_runner()) {}

  [[nodiscard]] NotifyServices services() const {
    return {.transports = {.http = http_, .mail = send_mail, .commands = *commands_}};
  }

 private:
  CurlHttpClient http_;
  std::unique_ptr<CommandRunner> commands_;
};

// The newest drill before this one that finished and was not interrupted.
std::optional<PreviousDrill> previous_drill(const RunStore& store, const Report& report) {
  constexpr std::size_t most = 30;
  for (const auto& run : store.list(report.scenario.name, most)) {
    if (run.id >= report.id) continue;
    try {
      const auto stored = load_report(run.path / "report.json");
      if (!stored.finished || stored.error_kind == name_of(ErrorKind::interrupted)) continue;
      return PreviousDrill{.verdict = settled_verdict(stored),
                           .code = std::string(text_of(stored.diagnosis.code)),
                           .outcomes = load_outcomes(run.path)};
    } catch (const Error&) {
      continue;  // killed before its first phase
    }
  }
  return {};
}

// Whatever goes wrong here, the drill's verdict remains.
void log_errors(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    spdlog::error("notifications: {}", error.what());
  }
}

}  // namespace

void notify_of_drill(const Scenario& scenario, const Report& report, const CommonOptions& common,
                     const std::stop_token& stop) {
  if (scenario.notifications.empty()) return;
  if (report.error_kind == name_of(ErrorKind::interrupted)) return;
  log_errors([&] {
    const RunStore store(common.state);
    const auto previous = previous_drill(store, report);
    auto message = message_of(
        scenario, report, previous ? std::optional(previous->verdict) : std::optional<Verdict>());
    const auto record = store.find(scenario.name + "/" + report.id);
    message.report_file = record.string();
    const Sending sending;
    const auto outcomes =
        notify(scenario.notifications, message, previous, sending.services(), stop);
    save_outcomes(outcomes, record.parent_path());
  });
}

void notify_of_error(const Scenario& scenario, const Error& error, const std::stop_token& stop) {
  if (scenario.notifications.empty()) return;
  if (error.kind() == ErrorKind::usage || error.kind() == ErrorKind::interrupted) return;
  log_errors([&] {
    const Instant now = std::chrono::system_clock::now();
    const Report report{
        .id = make_run_id(now, 0),
        .scenario = {.name = scenario.name, .file = scenario.file.string()},
        .started = now,
        .finished = now,
        .host = host_name(),
        .diagnosis = {.summary = "the drill could not start: " + std::string(error.what()),
                      .code = error.code(),
                      .object = error.object(),
                      .likely_cause = likely_cause_of(error.code()),
                      .next_step = error.hint()}};
    const Sending sending;
    notify(scenario.notifications, message_of(scenario, report), {}, sending.services(), stop);
  });
}

std::vector<Outcome> send_test_notifications(const Scenario& scenario,
                                             std::span<const NotificationSpec> specs,
                                             const std::stop_token& stop) {
  const Sending sending;
  return notify_test(specs, test_message(scenario, host_name(), std::chrono::system_clock::now()),
                     sending.services(), stop);
}

}  // namespace pgrehearse
