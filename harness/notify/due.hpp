// Whether a channel is to be used after a drill.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/notify/message.hpp"
#include "harness/notify/outcome.hpp"
#include "harness/scenario/notification/notification_spec.hpp"

namespace pgrehearse {

// The scenario's last finished drill before this one.
struct PreviousDrill {
  Verdict verdict = Verdict::unknown;
  std::string code;               // of the finding; empty on a pass
  std::vector<Outcome> outcomes;  // of its notifications, where known
};

// Why the message is not sent; nullopt: it is sent.
std::optional<std::string> reason_not_to_send(const NotificationSpec& spec, const Message& message,
                                              const std::optional<PreviousDrill>& previous);

}  // namespace pgrehearse
