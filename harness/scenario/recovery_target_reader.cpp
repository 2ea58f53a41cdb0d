#include "harness/scenario/recovery_target_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "harness/common/units.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/scenario_keys.hpp"

namespace pgrehearse {

namespace {

using Errors = std::vector<ScenarioError>;

void read_time(const YamlNode& node, const std::string& text, RecoveryTarget& target,
               Errors& errors) {
  target.type = TargetType::time;
  target.time = parse_instant(text);
  target.utc_offset = utc_offset_of(text);
  if (target.time) return;
  if (parse_instant(text + "+00")) {
    errors.push_back({node.position, fmt::format("time '{}' has no time zone", node.written),
                      fmt::format("for UTC write \"{}+00\"", node.written)});
  } else {
    errors.push_back({node.position, fmt::format("'{}' is not a time", node.written),
                      "for example time: \"2026-11-20 03:00:00+00\""});
  }
}

void read_lsn(const YamlNode& node, const std::string& text, RecoveryTarget& target,
              Errors& errors) {
  target.type = TargetType::lsn;
  target.lsn = parse_lsn(text);
  if (target.lsn) return;
  errors.push_back({node.position, fmt::format("'{}' is not an LSN", node.written),
                    "two hexadecimal numbers separated by a slash, for example lsn: 0/5000028"});
}

void read_xid(const YamlNode& node, const std::string& text, RecoveryTarget& target,
              Errors& errors) {
  target.type = TargetType::xid;
  std::uint64_t xid = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, xid);
  const bool number = failure == std::errc{} && stop == end;
  constexpr std::uint64_t first_normal = 3;
  if (number && xid >= first_normal && xid <= std::numeric_limits<std::uint32_t>::max()) {
    target.xid = static_cast<std::uint32_t>(xid);
    return;
  }
  const std::uint64_t without_epoch = xid & std::numeric_limits<std::uint32_t>::max();
  errors.push_back({node.position, fmt::format("'{}' is not a transaction id", node.written),
                    number && xid > first_normal && without_epoch >= first_normal
                        ? fmt::format("without the epoch: {}", without_epoch)
                        : std::string("a number from 3 to 4294967295, for example xid: 743")});
}

void read_name(const YamlNode& node, const std::string& text, RecoveryTarget& target,
               Errors& errors) {
  target.type = TargetType::name;
  target.name = text;
  constexpr std::size_t longest = 63;
  if (text.size() <= longest) return;
  errors.push_back({node.position, "restore point name is longer than 63 bytes",
                    "PostgreSQL limits restore point names to 63 bytes"});
}

void read_flag(const YamlNode& node, bool given, TargetType type, RecoveryTarget& target,
               Errors& errors) {
  target.type = type;
  if (given) return;
  errors.push_back({node.position, "'latest' and 'immediate' can only be true",
                    "remove it, or use another target"});
}

void read_target(const YamlEntry& entry, const Settings& settings, RecoveryTarget& target,
                 Errors& errors) {
  const auto text = [&] { return *settings.get<std::string>(entry.key); };
  const auto flag = [&] { return *settings.get<bool>(entry.key); };
  if (entry.key == "time") read_time(entry.value, text(), target, errors);
  if (entry.key == "lsn") read_lsn(entry.value, text(), target, errors);
  if (entry.key == "xid") read_xid(entry.value, text(), target, errors);
  if (entry.key == "name") read_name(entry.value, text(), target, errors);
  if (entry.key == "random") {
    target.within = settings.get<std::chrono::milliseconds>("random.within");
  }
  if (entry.key == "latest") read_flag(entry.value, flag(), TargetType::latest, target, errors);
  if (entry.key == "immediate")
    read_flag(entry.value, flag(), TargetType::immediate, target, errors);
}

std::string_view name_of(TargetType type) {
  switch (type) {
    case TargetType::latest:
      return "latest";
    case TargetType::immediate:
      return "immediate";
    case TargetType::time:
      return "time";
    case TargetType::lsn:
      return "lsn";
    case TargetType::xid:
      return "xid";
    case TargetType::name:
      return "name";
  }
  return "latest";
}

void read_timeline(const YamlNode& node, RecoveryTarget& target, const Settings& settings,
                   Errors& errors) {
  target.timeline = *settings.get<std::string>("timeline");
  if (target.type == TargetType::immediate) {
    errors.push_back({node.find("timeline")->key_position,
                      "'timeline' cannot be combined with 'immediate'",
                      "recovery to the end of the backup stays on the backup's timeline"});
  }
  if (target.timeline == "latest" || target.timeline == "current") return;
  const auto number = convert_scalar({.kind = KeyKind::integer}, target.timeline);
  const auto* value = number ? std::get_if<std::int64_t>(&*number) : nullptr;
  if (value != nullptr && *value > 0 && *value <= std::numeric_limits<Timeline>::max()) return;
  const auto& written = node.find("timeline")->value;
  errors.push_back({written.position, fmt::format("'{}' is not a timeline", written.written),
                    "latest, current, or a decimal number, for example timeline: 3"});
}

void read_options(const YamlNode& node, RecoveryTarget& target, const Settings& settings,
                  Errors& errors) {
  target.exclusive = settings.get_or("exclusive", false);
  const bool has_edge = target.type == TargetType::time || target.type == TargetType::lsn ||
                        target.type == TargetType::xid;
  if (target.exclusive && !has_edge) {
    errors.push_back({node.find("exclusive")->key_position,
                      fmt::format("'exclusive' cannot be combined with '{}'", name_of(target.type)),
                      "`exclusive` can only be used with time, lsn or xid"});
  }
  if (settings.has("timeline")) read_timeline(node, target, settings, errors);
}

RecoveryTarget read_word(const YamlNode& node, Errors& errors) {
  RecoveryTarget target;
  if (node.text == "latest") return target;
  target.type = TargetType::immediate;
  if (node.text == "immediate") return target;
  std::string hint;
  if (parse_instant(node.text) || parse_instant(node.text + "+00")) {
    hint = fmt::format("write recover_to: {{ time: \"{}\" }}", node.written);
  } else if (parse_lsn(node.text)) {
    hint = fmt::format("write recover_to: {{ lsn: {} }}", node.written);
  } else {
    hint = hint_for_unknown(node.text, {"latest", "immediate"}) +
           "; or a map, for example { time: \"2026-11-20 03:00:00+00\" }";
  }
  errors.push_back(
      {node.position, fmt::format("unknown recovery target '{}'", node.written), hint});
  return target;
}

// Whether its value is valid.
bool is_read(const Settings& settings, const std::string& key) {
  return settings.has(key == "random" ? "random.within" : key);
}

}  // namespace

RecoveryTarget read_recovery_target(const YamlNode& node, Errors& errors) {
  if (node.kind == YamlNode::Kind::scalar) return read_word(node, errors);
  RecoveryTarget target;
  if (node.kind == YamlNode::Kind::null) {
    errors.push_back(
        {node.position, "'recover_to' has no value", "for example recover_to: latest"});
    return target;
  }
  Settings settings;
  read_section(node, {recovery_target_keys(), "recover_to", ""}, settings, errors);
  const auto targets = recovery_target_keys().first(target_count);
  const YamlEntry* first = nullptr;
  for (const auto& entry : node.entries) {
    const bool is_target = std::any_of(targets.begin(), targets.end(),
                                       [&](const auto& key) { return key.name == entry.key; });
    if (!is_target || (first != nullptr && first->key == entry.key)) continue;
    if (first != nullptr) {
      errors.push_back({entry.key_position,
                        fmt::format("more than one target: '{}' and '{}'", first->key, entry.key),
                        "remove one of them"});
      return target;
    }
    first = &entry;
    if (is_read(settings, entry.key)) read_target(entry, settings, target, errors);
  }
  if (first == nullptr || is_read(settings, first->key))
    read_options(node, target, settings, errors);
  return target;
}

}  // namespace pgrehearse
