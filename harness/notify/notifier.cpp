#include "harness/notify/notifier.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "harness/common/poll_until.hpp"
#include "harness/notify/senders.hpp"
#include "harness/scenario/notification/channel_table.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Delivering {
 public:
  Delivering(const NotificationSpec& spec, const Message& message, const NotifyServices& services,
             std::stop_token stop)
      : spec_(spec),
        message_(message),
        services_(services),
        stop_(std::move(stop)),
        secrets_(spec.settings),
        deadline_(Clock::now() + spec.timeout) {}

  void run(Outcome& outcome) {
    const auto began = Clock::now();
    auto pause = services_.first_pause;
    while (!attempt(outcome)) {
      if (outcome.attempts >= spec_.attempts || Clock::now() + pause >= deadline_) break;
      if (!wait_for(pause, stop_)) break;
      pause = std::min(pause * 2, services_.first_pause * 30);
    }
    outcome.seconds = Seconds(Clock::now() - began).count();
  }

 private:
  // Whether there is nothing left to try.
  bool attempt(Outcome& outcome) {
    ++outcome.attempts;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now());
    try {
      sender_of(spec_.channel)({.message = message_,
                                .spec = spec_,
                                .secrets = secrets_,
                                .transports = services_.transports,
                                .timeout = std::max(left, milliseconds(1)),
                                .stop = stop_});
      outcome.delivery = Delivery::sent;
      outcome.reason.clear();
      return true;
    } catch (const DeliveryError& error) {
      outcome.reason = secrets_.redact(error.what());
      return !error.is_temporary();
    } catch (const std::exception& error) {
      outcome.reason = secrets_.redact(error.what());
      return true;
    }
  }

  const NotificationSpec& spec_;
  const Message& message_;
  const NotifyServices& services_;
  std::stop_token stop_;
  Secrets secrets_;
  Clock::time_point deadline_;
};

void log(const Outcome& outcome) {
  switch (outcome.delivery) {
    case Delivery::sent:
      spdlog::info("notification '{}' sent", outcome.name);
      break;
    case Delivery::failed:
      spdlog::error("notification '{}' failed after {} {}: {}", outcome.name, outcome.attempts,
                    outcome.attempts == 1 ? "attempt" : "attempts", outcome.reason);
      break;
    case Delivery::not_due:
      spdlog::debug("notification '{}' not sent: {}", outcome.name, outcome.reason);
      break;
  }
}

using ReasonNotToSend = std::function<std::optional<std::string>(const NotificationSpec&)>;

std::vector<Outcome> send_all(std::span<const NotificationSpec> specs, const Message& message,
                              const ReasonNotToSend& reason_not_to_send,
                              const NotifyServices& services, const std::stop_token& stop) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(specs.size());
  for (const auto& spec : specs) outcomes.push_back({.channel = spec.channel, .name = spec.name});
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (auto reason = reason_not_to_send(specs[i])) {
        outcomes[i].delivery = Delivery::not_due;
        outcomes[i].reason = std::move(*reason);
        continue;
      }
      threads.emplace_back(
          [&, i] { Delivering(specs[i], message, services, stop).run(outcomes[i]); });
    }
  }
  std::ranges::for_each(outcomes, log);
  return outcomes;
}

}  // namespace

std::vector<Outcome> notify(std::span<const NotificationSpec> specs, const Message& message,
                            const std::optional<PreviousDrill>& previous,
                            const NotifyServices& services, const std::stop_token& stop) {
  return send_all(
      specs, message,
      [&](const NotificationSpec& spec) { return reason_not_to_send(spec, message, previous); },
      services, stop);
}

std::vector<Outcome> notify_test(std::span<const NotificationSpec> specs, const Message& message,
                                 const NotifyServices& services, const std::stop_token& stop) {
  return send_all(
      specs, message,
      [](const NotificationSpec& spec) -> std::optional<std::string> {
        if (!find_channel(spec.channel).only_passes) return {};
        return "a test would report a drill that passed";
      },
      services, stop);
}

}  // namespace pgrehearse
