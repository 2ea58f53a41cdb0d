// Sends a message through all channels of a scenario at once. A failure is an outcome, never an
// exception: it does not change the verdict of a drill.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "harness/notify/delivery.hpp"
#include "harness/notify/due.hpp"
#include "harness/notify/outcome.hpp"

namespace pgrehearse {

struct NotifyServices {
  Transports transports;
  // The pause before the second attempt; each further one is twice as long, up to 30 times this.
  std::chrono::milliseconds first_pause{std::chrono::seconds(1)};
};

// One outcome per channel, in the order of the scenario. Failures are logged.
std::vector<Outcome> notify(std::span<const NotificationSpec> specs, const Message& message,
                            const std::optional<PreviousDrill>& previous,
                            const NotifyServices& services, const std::stop_token& stop);

// Sends a test message through each channel but heartbeats, which would report a pass.
std::vector<Outcome> notify_test(std::span<const NotificationSpec> specs, const Message& message,
                                 const NotifyServices& services, const std::stop_token& stop);

}  // namespace pgrehearse
