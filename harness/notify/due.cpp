#include "harness/notify/due.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/scenario/notification/channel_table.hpp"

namespace pgrehearse {

namespace {

// Whether a channel has received everything up to the drill before: an undelivered or unknown
// notification is made up for by the next one.
bool is_up_to_date(const NotificationSpec& spec, const PreviousDrill& previous) {
  const auto outcome = std::ranges::find(previous.outcomes, spec.name, &Outcome::name);
  return outcome != previous.outcomes.end() && outcome->delivery != Delivery::failed;
}

bool has_changed(const NotificationSpec& spec, const Message& message,
                 const std::optional<PreviousDrill>& previous) {
  if (!previous || !is_up_to_date(spec, *previous)) return true;
  return message.verdict != previous->verdict || message.code != previous->code;
}

}  // namespace

std::optional<std::string> reason_not_to_send(const NotificationSpec& spec, const Message& message,
                                              const std::optional<PreviousDrill>& previous) {
  const auto& channel = find_channel(spec.channel);
  if (channel.only_passes) {
    if (message.verdict == Verdict::pass) return {};
    return "the drill did not pass";
  }
  // The other side recognizes its incident by the key, and ignores what it knows already.
  if (channel.has_incidents && message.verdict == Verdict::pass) return {};
  if (!spec.verdicts.empty() &&
      std::ranges::find(spec.verdicts, message.verdict) == spec.verdicts.end()) {
    return fmt::format("verdicts: does not contain {}", name_of(message.verdict));
  }
  if (channel.has_incidents) return {};
  switch (spec.when) {
    case NotifyWhen::always:
      return {};
    case NotifyWhen::fail:
      if (message.verdict != Verdict::pass) return {};
      return "when: fail, and the drill passed";
    case NotifyWhen::changed:
      if (has_changed(spec, message, previous)) return {};
      return "when: changed, and verdict and cause are those of the previous drill";
  }
  return {};
}

}  // namespace pgrehearse
