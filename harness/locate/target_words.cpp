#include "harness/locate/target_words.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

bool take(std::string_view& words, std::string_view prefix) {
  if (!words.starts_with(prefix)) return false;
  words.remove_prefix(prefix.size());
  return true;
}

bool only_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::uint32_t parse_xid(std::string_view text) {
  constexpr std::uint64_t first_normal = 3;
  std::uint64_t xid = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, xid);
  if (failure == std::errc{} && stop == end && xid >= first_normal &&
      xid <= std::numeric_limits<std::uint32_t>::max()) {
    return static_cast<std::uint32_t>(xid);
  }
  throw Error(ErrorKind::usage, fmt::format("'{}' is not a transaction id", text),
              "a number from 3 to 4294967295, for example xid:743; without the epoch");
}

Lsn parse_position(std::string_view text) {
  if (const auto lsn = parse_lsn(text)) return *lsn;
  throw Error(ErrorKind::usage, fmt::format("'{}' is not an LSN", text), "for example 0/5000028");
}

RecoveryTarget parse_name(std::string_view text) {
  constexpr std::size_t longest = 63;
  if (!text.empty() && text.size() <= longest) {
    return {.type = TargetType::name, .name = std::string(text)};
  }
  throw Error(ErrorKind::usage, "the name of a restore point has 1 to 63 bytes",
              "for example name:before_release");
}

RecoveryTarget parse_exclusive(std::string_view words, const TimeZone& zone, Instant now) {
  if (take(words, "xid:") || only_digits(words)) {
    return {.type = TargetType::xid, .xid = parse_xid(words), .exclusive = true};
  }
  auto target = parse_target(words, zone, now);
  const bool has_edge = target.type == TargetType::time || target.type == TargetType::lsn;
  if (!has_edge) {
    throw Error(ErrorKind::usage, fmt::format("'before:' cannot be combined with '{}'", words),
                "before:743 (a transaction), before:0/5000028 or before:\"2026-11-20 14:05\"");
  }
  target.exclusive = true;
  return target;
}

}  // namespace

Instant parse_time(std::string_view words, const TimeZone& zone, Instant now) {
  if (const auto instant = parse_instant(words)) return *instant;
  return zone.instant_of(words, now);
}

RecoveryTarget parse_target(std::string_view words, const TimeZone& zone, Instant now) {
  words = trim(words);
  if (words == "latest") return {};
  if (words == "immediate") return {.type = TargetType::immediate};
  if (take(words, "before:")) return parse_exclusive(words, zone, now);
  if (take(words, "xid:")) return {.type = TargetType::xid, .xid = parse_xid(words)};
  if (take(words, "name:")) return parse_name(words);
  if (take(words, "lsn:") || words.find('/') != std::string_view::npos) {
    return {.type = TargetType::lsn, .lsn = parse_position(words)};
  }
  if (only_digits(words)) {
    throw Error(ErrorKind::usage, fmt::format("recovery target '{}' is ambiguous", words),
                fmt::format("for a transaction write xid:{0} or before:{0}", words));
  }
  take(words, "time:");
  try {
    return {.type = TargetType::time, .time = parse_time(words, zone, now)};
  } catch (const Error& error) {
    if (std::string_view(error.what()).find("is not a time") == std::string_view::npos) throw;
    throw Error(ErrorKind::usage, fmt::format("unknown recovery target '{}'", words),
                "latest, immediate, a time (\"2026-11-20 14:05\"), an LSN (0/5000028), xid:743, "
                "before:743 or name:RESTORE_POINT");
  }
}

std::string in_words(const RecoveryTarget& target, const TimeZone& zone) {
  const std::string_view before = target.exclusive ? "just before " : "";
  switch (target.type) {
    case TargetType::latest:
      return "the end of the archived WAL";
    case TargetType::immediate:
      return "the end of the backup";
    case TargetType::time:
      return fmt::format("{}{}", before, in_both_zones(target.time.value(), zone));
    case TargetType::lsn:
      return fmt::format("{}LSN {}", before, to_text(target.lsn.value()));
    case TargetType::xid:
      return fmt::format("{}the commit of transaction {}", before, target.xid.value());
    case TargetType::name:
      return fmt::format("restore point {}", target.name);
  }
  return {};
}

std::string target_word(const RecoveryTarget& target) {
  const std::string_view before = target.exclusive ? "before:" : "";
  switch (target.type) {
    case TargetType::latest:
      return "latest";
    case TargetType::immediate:
      return "immediate";
    case TargetType::time:
      return fmt::format("{}{}", before, to_postgres_timestamp(target.time.value()));
    case TargetType::lsn:
      return fmt::format("{}{}", before, to_text(target.lsn.value()));
    case TargetType::xid:
      return fmt::format("{}{}", target.exclusive ? "before:" : "xid:", target.xid.value());
    case TargetType::name:
      return "name:" + target.name;
  }
  return {};
}

}  // namespace pgrehearse
