#include "harness/scenario/notification/notification_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "harness/scenario/language/named_item.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/notification/channel_table.hpp"

namespace pgrehearse {

namespace {

using Errors = std::vector<ScenarioError>;

constexpr std::string_view list_example =
    "for example notify: [slack: { url: \"${SLACK_WEBHOOK_URL}\" }]";

const ChannelDescription* look_up(const NamedItem& item, Errors& errors) {
  std::vector<std::string> names;
  for (const auto& channel : channel_table()) {
    if (channel.name == item.name) return &channel;
    names.emplace_back(channel.name);
  }
  errors.push_back({item.position, fmt::format("unknown notification channel '{}'", item.name),
                    hint_for_unknown(item.name, names)});
  return nullptr;
}

NotifyWhen when_of(const Settings& settings) {
  const auto when = settings.get_or<std::string>("when", "changed");
  return when == "always" ? NotifyWhen::always
         : when == "fail" ? NotifyWhen::fail
                          : NotifyWhen::changed;
}

// Not the text: it may come from the environment.
std::vector<Verdict> verdicts_of(const Settings& settings, Errors& errors) {
  std::vector<Verdict> verdicts;
  for (const auto& text : settings.get_or<std::vector<std::string>>("verdicts", {})) {
    const auto verdict = parse_verdict(text);
    if (verdict && *verdict != Verdict::skipped) {
      verdicts.push_back(*verdict);
    } else {
      errors.push_back({settings.position(), "'verdicts' may contain pass, fail and unknown",
                        "for example verdicts: [fail, unknown]"});
    }
  }
  return verdicts;
}

void require_limits(const NotificationSpec& spec, Errors& errors) {
  constexpr int most = 100;
  if (spec.attempts < 1 || spec.attempts > most) {
    errors.push_back({spec.settings.position(), "'attempts' must be from 1 to 100",
                      "remove it for five attempts"});
  }
  if (spec.timeout.count() <= 0) {
    errors.push_back(
        {spec.settings.position(), "'timeout' must be greater than zero", "for example 30s"});
  }
}

// Addresses that are not secrets as a whole; credentials have their own keys.
void require_address(const Settings& settings, std::string_view key, std::string_view scheme,
                     Errors& errors) {
  const auto address = settings.get_or<std::string>(key, "");
  const std::regex pattern(fmt::format(R"({}://[^/?#@\s]+([/?][^#@\s]*)?)", scheme));
  if (address.empty() || std::regex_match(address, pattern)) return;
  errors.push_back({settings.position(), fmt::format("'{}' is not a valid address", key),
                    scheme == "smtp"
                        ? "for example server: smtp://mail.example.com:587; use the keys username "
                          "and password for credentials"
                        : "for example https://ops.example.com/hooks; use separate keys for "
                          "credentials"});
}

void validate_email(const Settings& settings, Errors& errors) {
  require_address(settings, "server", "smtp", errors);
  auto addresses = settings.get_or<std::vector<std::string>>("to", {});
  addresses.push_back(settings.get_or<std::string>("from", ""));
  static const std::regex mailbox(R"([^\s<>(),;:@\\"]+@[^\s<>(),;:@\\"]+)");
  for (const auto& address : addresses) {
    if (std::regex_match(address, mailbox)) continue;
    errors.push_back({settings.position(), "'from' and 'to' must be mail addresses",
                      "for example to: [dba@example.com]"});
    break;
  }
  if (settings.has("password") && settings.get_or<std::string>("encryption", "") == "none") {
    errors.push_back({settings.position(), "the password would be sent without encryption",
                      "use encryption: starttls or tls"});
  }
}

// Of settings that are valid individually.
void validate(const NotificationSpec& spec, Errors& errors) {
  const auto& settings = spec.settings;
  require_limits(spec, errors);
  if (spec.channel == "email") validate_email(settings, errors);
  if (spec.channel == "alertmanager" || spec.channel == "webhook" || spec.channel == "pagerduty") {
    require_address(settings, "url", "https?", errors);
  }
  if (settings.has("username") != settings.has("password")) {
    errors.push_back(
        {settings.position(), "'username' and 'password' require each other", "set both or none"});
  }
  const auto run = settings.get_or<std::vector<std::string>>("run", {"/"});
  if (run.empty() || !run.front().starts_with('/')) {
    errors.push_back({settings.position(), "'run' must begin with the full path of a program",
                      "for example run: [/usr/local/bin/on-drill]"});
  }
}

NotificationSpec read_channel(const NamedItem& item, const ChannelDescription& channel,
                              Errors& errors) {
  NotificationSpec spec{
      .channel = item.name, .name = item.name, .settings = Settings(item.position)};
  const auto errors_before = errors.size();
  const YamlNode none{.position = item.position};
  read_section(item.settings == nullptr ? none : *item.settings,
               {keys_of(channel), fmt::format("channel '{}'", item.name), ""}, spec.settings,
               errors);
  spec.name = spec.settings.get_or("name", item.name);
  spec.when = when_of(spec.settings);
  spec.verdicts = verdicts_of(spec.settings, errors);
  spec.attempts =
      static_cast<int>(spec.settings.get_or<std::int64_t>("attempts", std::int64_t{spec.attempts}));
  spec.timeout = spec.settings.get_or("timeout", spec.timeout);
  if (errors.size() == errors_before) validate(spec, errors);
  return spec;
}

}  // namespace

std::vector<NotificationSpec> read_notifications(const YamlNode& node, Errors& errors) {
  std::vector<NotificationSpec> specs;
  if (node.kind == YamlNode::Kind::unusable) return specs;
  if (node.kind != YamlNode::Kind::sequence) {
    errors.push_back({node.position,
                      fmt::format("'notify' must be a list of channels, not {}", described(node)),
                      std::string(list_example)});
    return specs;
  }
  for (const auto& written : node.items) {
    const auto item = read_named_item(written, {"channel", list_example}, errors);
    const auto* channel = item ? look_up(*item, errors) : nullptr;
    if (channel == nullptr) continue;
    auto spec = read_channel(*item, *channel, errors);
    if (std::ranges::find(specs, spec.name, &NotificationSpec::name) != specs.end()) {
      errors.push_back({item->position, fmt::format("two channels are named '{}'", spec.name),
                        "give one of them another name, for example name: dba on call"});
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace pgrehearse
