#include "harness/common/time_zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using Microseconds = std::chrono::microseconds;

std::string without_empty_fraction(std::string text) {
  constexpr std::string_view none = ".000000";
  if (const auto at = text.find(none); at != std::string::npos) text.erase(at, none.size());
  return text;
}

std::string clock_text(date::local_time<Microseconds> local) {
  return without_empty_fraction(date::format("%F %T", local));
}

// "+02", "+05:30"
std::string offset_text(std::chrono::seconds offset) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(offset).count();
  const auto absolute = minutes < 0 ? -minutes : minutes;
  auto text = fmt::format("{}{:02}", minutes < 0 ? '-' : '+', absolute / 60);
  if (absolute % 60 != 0) text += fmt::format(":{:02}", absolute % 60);
  return text;
}

std::string choice(date::local_time<Microseconds> local, const date::sys_info& info) {
  return fmt::format("\"{}{}\" ({})", clock_text(local), offset_text(info.offset), info.abbrev);
}

[[noreturn]] void refuse(std::string_view what, std::string_view how, const TimeZone& zone,
                         const std::pair<std::string, std::string>& choices) {
  throw Error(ErrorKind::usage, fmt::format("{} {} in {}", what, how, zone.name()),
              fmt::format("write {} or {}", choices.first, choices.second));
}

// $TZ, if it is set.
std::optional<std::string> stated_zone() {
  const char* variable = std::getenv("TZ");
  if (variable == nullptr || *variable == '\0') return {};
  return *variable == ':' ? variable + 1 : variable;
}

std::optional<Instant> read_clock(std::string_view local, std::string_view today) {
  const auto trimmed = trim(local);
  std::string text(trimmed);
  const bool clock_only = trimmed.find('-') == std::string_view::npos;
  if (clock_only) text = fmt::format("{} {}", today, trimmed);
  return parse_instant(text + "+00");
}

}  // namespace

const date::time_zone* find_time_zone(std::string_view name) {
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

const date::time_zone& host_time_zone() {
  if (const auto stated = stated_zone()) {
    if (const auto* zone = find_time_zone(*stated)) return *zone;
  }
  try {
    return *date::current_zone();
  } catch (const std::runtime_error&) {
  }
  if (const auto* zone = find_time_zone("UTC")) return *zone;
  throw Error(ErrorKind::environment, "no time zone database found", "install the package tzdata");
}

TimeZone TimeZone::named(const std::string& name) {
  if (const auto* zone = find_time_zone(name)) return {zone, name};
  throw Error(ErrorKind::usage, fmt::format("this host has no time zone '{}'", name),
              "a name of the time zone database, for example --zone Europe/Berlin or --zone UTC");
}

TimeZone TimeZone::of_terminal() {
  if (const auto stated = stated_zone()) return named(*stated);
  const auto& zone = host_time_zone();
  return {&zone, zone.name()};
}

Instant TimeZone::instant_of(std::string_view local, Instant now) const {
  const auto today = date::format("%F", date::make_zoned(zone_, date::floor<Microseconds>(now)));
  const auto clock = read_clock(local, today.substr(0, today.find(' ')));
  if (!clock) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not a time", local),
                "for example \"2026-11-20 14:05\", \"2026-11-20 13:05:00+00\", or 14:05 for today");
  }
  const date::local_time<Microseconds> wanted(date::floor<Microseconds>(*clock).time_since_epoch());
  const auto info = zone_->get_info(wanted);
  const std::pair choices(choice(wanted, info.first), choice(wanted, info.second));
  if (info.result == date::local_info::ambiguous) {
    refuse(clock_text(wanted), "occurs twice", *this, choices);
  }
  if (info.result == date::local_info::nonexistent) {
    refuse(clock_text(wanted), "does not exist (the clocks were set forward)", *this, choices);
  }
  return std::chrono::time_point_cast<Instant::duration>(
      date::sys_time<Microseconds>(wanted.time_since_epoch() - info.first.offset));
}

std::string TimeZone::to_text(Instant instant) const {
  return without_empty_fraction(
      date::format("%F %T %Z", date::make_zoned(zone_, date::floor<Microseconds>(instant))));
}

std::string in_both_zones(Instant instant, const TimeZone& zone) {
  const auto local = zone.to_text(instant);
  const auto utc = TimeZone::named("UTC").to_text(instant);
  if (local == utc) return utc;
  constexpr std::size_t date_length = 10;
  const bool same_day = local.substr(0, date_length) == utc.substr(0, date_length);
  return fmt::format("{} ({})", local, same_day ? utc.substr(date_length + 1) : utc);
}

}  // namespace pgrehearse
