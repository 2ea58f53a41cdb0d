#include "harness/scenario/notification/channel_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 3> whens{"changed", "always", "fail"};
constexpr std::array<std::string_view, 3> encryptions{"starttls", "tls", "none"};

constexpr auto slack = std::to_array<KeyDescription>({
    {.name = "url",
     .kind = KeyKind::secret,
     .summary = "incoming webhook URL",
     .example = "\"${SLACK_WEBHOOK_URL}\"",
     .required = true},
});

constexpr auto pagerduty = std::to_array<KeyDescription>({
    {.name = "routing_key",
     .kind = KeyKind::secret,
     .summary = "integration key of the Events API v2",
     .example = "\"${PAGERDUTY_ROUTING_KEY}\"",
     .required = true},
    {.name = "url",
     .summary = "address of the Events API, for example of the EU region",
     .example = "https://events.eu.pagerduty.com/v2/enqueue",
     .default_value = "https://events.pagerduty.com/v2/enqueue"},
});

constexpr auto alertmanager = std::to_array<KeyDescription>({
    {.name = "url",
     .summary = "address of the Alertmanager",
     .example = "http://alertmanager:9093",
     .required = true},
    {.name = "username", .summary = "user name for basic authentication", .example = "pgrehearse"},
    {.name = "password",
     .kind = KeyKind::secret,
     .summary = "password for basic authentication",
     .example = "\"${ALERTMANAGER_PASSWORD}\""},
    {.name = "ends_after",
     .kind = KeyKind::duration,
     .summary = "how long the alert lasts unless a later drill resolves it or extends it",
     .example = "2d",
     .default_value = "8d"},
});

constexpr auto teams = std::to_array<KeyDescription>({
    {.name = "url",
     .kind = KeyKind::secret,
     .summary = "URL of the workflow 'post to a channel when a webhook request is received'",
     .example = "\"${TEAMS_WORKFLOW_URL}\"",
     .required = true},
});

constexpr auto email = std::to_array<KeyDescription>({
    {.name = "server",
     .summary = "mail server: smtp://host:port",
     .example = "smtp://mail.example.com:587",
     .required = true},
    {.name = "from", .summary = "sender", .example = "pgrehearse@example.com", .required = true},
    {.name = "to",
     .kind = KeyKind::text_list,
     .summary = "recipients",
     .example = "[dba@example.com, oncall@example.com]",
     .required = true},
    {.name = "encryption",
     .kind = KeyKind::choice,
     .summary = "starttls: required, not optional; tls: from the first byte (port 465); none: only "
                "without a password",
     .example = "tls",
     .default_value = "starttls",
     .choices = encryptions},
    {.name = "ca",
     .kind = KeyKind::absolute_path,
     .summary = "CA certificates of the mail server, PEM",
     .example = "/etc/pgrehearse/mail-ca.crt",
     .default_value = "the system's CA certificates"},
    {.name = "username", .summary = "user name for authentication", .example = "pgrehearse"},
    {.name = "password",
     .kind = KeyKind::secret,
     .summary = "password for authentication",
     .example = "\"${SMTP_PASSWORD}\""},
});

constexpr auto webhook = std::to_array<KeyDescription>({
    {.name = "url",
     .summary = "where to POST the notification as JSON; ${NAME} for the parts that are secret",
     .example = "https://ops.example.com/hooks/pgrehearse",
     .required = true},
    {.name = "secret",
     .kind = KeyKind::secret,
     .summary = "key of the HMAC-SHA256 signature in the header X-Pgrehearse-Signature",
     .example = "\"${WEBHOOK_SECRET}\"",
     .default_value = "not signed"},
    {.name = "token",
     .kind = KeyKind::secret,
     .summary = "bearer token in the header Authorization",
     .example = "\"${WEBHOOK_TOKEN}\""},
    {.name = "report",
     .kind = KeyKind::boolean,
     .summary = "include the whole report",
     .example = "true",
     .default_value = "false"},
});

constexpr auto heartbeat = std::to_array<KeyDescription>({
    {.name = "url",
     .kind = KeyKind::secret,
     .summary = "URL to request after each drill that passes; the monitor alerts when the request "
                "does not arrive in time",
     .example = "\"${HEARTBEAT_URL}\"",
     .required = true},
});

constexpr auto command = std::to_array<KeyDescription>({
    {.name = "run",
     .kind = KeyKind::text_list,
     .summary =
         "program and arguments; not run by a shell. In its environment: PGREHEARSE_VERDICT, "
         "PGREHEARSE_SCENARIO, PGREHEARSE_STANZA, PGREHEARSE_TITLE, and PGREHEARSE_REPORT, "
         "the file with the report",
     .example = "[/usr/local/bin/on-drill, --team, dba]",
     .required = true},
});

constexpr auto common = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "name in messages and metrics; must be unique in the scenario",
     .example = "dba on call",
     .default_value = "the channel's name"},
    {.name = "when",
     .kind = KeyKind::choice,
     .summary = "changed: the verdict or the cause differs from the previous drill's, or the last "
                "notification was not delivered; always: every drill; fail: every drill that does "
                "not pass",
     .example = "always",
     .default_value = "changed",
     .choices = whens},
    {.name = "verdicts",
     .kind = KeyKind::text_list,
     .summary = "only drills with these verdicts: pass, fail, unknown",
     .example = "[fail, unknown]",
     .default_value = "all"},
    {.name = "attempts",
     .kind = KeyKind::integer,
     .summary = "how often to try, with increasing pauses, when the other side does not respond or "
                "is overloaded",
     .example = "3",
     .default_value = "5"},
    {.name = "timeout",
     .kind = KeyKind::duration,
     .summary = "time limit of all attempts together",
     .example = "30s",
     .default_value = "1min"},
});

constexpr auto table = std::to_array<ChannelDescription>({
    {.name = "slack", .summary = "a message through a Slack incoming webhook", .keys = slack},
    {.name = "pagerduty",
     .summary = "an incident through the PagerDuty Events API v2; the next pass resolves it",
     .keys = pagerduty,
     .has_incidents = true},
    {.name = "alertmanager",
     .summary = "an alert through the Alertmanager API v2; the next pass resolves it",
     .keys = alertmanager,
     .has_incidents = true},
    {.name = "teams",
     .summary = "an adaptive card through a Microsoft Teams workflow",
     .keys = teams},
    {.name = "email", .summary = "an e-mail", .keys = email},
    {.name = "webhook", .summary = "an HTTP POST with the notification as JSON", .keys = webhook},
    {.name = "heartbeat",
     .summary = "a request to a dead man's switch after each drill that passes",
     .keys = heartbeat,
     .only_passes = true},
    {.name = "command", .summary = "a program on this host", .keys = command},
});

}  // namespace

std::span<const ChannelDescription> channel_table() { return table; }

const ChannelDescription& find_channel(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &ChannelDescription::name);
  if (found != table.end()) return *found;
  throw Error(ErrorKind::internal, fmt::format("unknown notification channel '{}'", name));
}

std::span<const KeyDescription> common_channel_keys() { return common; }

std::vector<KeyDescription> keys_of(const ChannelDescription& channel) {
  std::vector<KeyDescription> keys(channel.keys.begin(), channel.keys.end());
  keys.insert(keys.end(), common.begin(), common.end());
  return keys;
}

}  // namespace pgrehearse
