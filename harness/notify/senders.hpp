// The table of channels: the function that delivers a message through each.
#pragma once

#include <span>
#include <string_view>

#include "harness/notify/delivery.hpp"

namespace pgrehearse {

// Delivers the message. Throws DeliveryError, Error(environment) for a secret that cannot be read,
// and Error(interrupted).
using Send = void (*)(const Attempt& attempt);

// One file each.
void send_to_slack(const Attempt& attempt);
void send_to_pagerduty(const Attempt& attempt);
void send_to_alertmanager(const Attempt& attempt);
void send_to_teams(const Attempt& attempt);
void send_email(const Attempt& attempt);
void send_to_webhook(const Attempt& attempt);
void send_heartbeat(const Attempt& attempt);
void send_to_command(const Attempt& attempt);

struct SenderRow {
  std::string_view channel;
  Send send = nullptr;
};
// One row per channel of harness/scenario/notification/channel_table.hpp.
std::span<const SenderRow> sender_table();

// Throws Error(internal) if the channel is not in the table.
Send sender_of(std::string_view channel);

}  // namespace pgrehearse
