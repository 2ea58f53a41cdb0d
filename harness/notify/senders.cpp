#include "harness/notify/senders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

constexpr auto table = std::to_array<SenderRow>({
    {"slack", send_to_slack},
    {"pagerduty", send_to_pagerduty},
    {"alertmanager", send_to_alertmanager},
    {"teams", send_to_teams},
    {"email", send_email},
    {"webhook", send_to_webhook},
    {"heartbeat", send_heartbeat},
    {"command", send_to_command},
});

}  // namespace

std::span<const SenderRow> sender_table() { return table; }

Send sender_of(std::string_view channel) {
  const auto* row = std::ranges::find(table, channel, &SenderRow::channel);
  if (row != table.end()) return row->send;
  throw Error(ErrorKind::internal, fmt::format("the channel '{}' has no sender", channel));
}

}  // namespace pgrehearse
