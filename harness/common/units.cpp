#include "harness/common/units.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// Removes the number at the start of `text` and returns it; nullopt when there is none.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (failure != std::errc{} || value < 0) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && ((text[length] | 0x20) >= 'a') && ((text[length] | 0x20) <= 'z')) {
    ++length;
  }
  const auto letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

std::optional<int> take_int(std::string_view& text, std::size_t most_digits) {
  int value = 0;
  std::size_t length = 0;
  while (length < text.size() && length < most_digits && text[length] >= '0' &&
         text[length] <= '9') {
    value = value * 10 + (text[length] - '0');
    ++length;
  }
  if (length == 0) return {};
  text.remove_prefix(length);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+00", "-05:30", "+0530"; as minutes east of UTC.
std::optional<int> take_zone(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return {};
  const auto hours = take_int(text, 2);
  if (!hours || *hours > 15) return {};
  take(text, ':');
  const int minutes = take_int(text, 2).value_or(0);
  if (minutes > 59) return {};
  return (west ? -1 : 1) * (*hours * 60 + minutes);
}

std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  std::int64_t micros = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 6) micros = micros * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return {};
  for (; digits < 6; ++digits) micros *= 10;
  return std::chrono::microseconds(micros);
}

std::string format_utc(Instant instant, char between, std::string_view zone) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(instant);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(seconds - days);
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:06}{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     between, time.hours().count(), time.minutes().count(), time.seconds().count(),
                     (micros - seconds).count(), zone);
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return {};
  text = trim(text);
  constexpr std::array<std::pair<std::string_view, double>, 6> units{{{"", 1},
                                                                      {"B", 1},
                                                                      {"kB", 1024.0},
                                                                      {"MB", 1048576.0},
                                                                      {"GB", 1073741824.0},
                                                                      {"TB", 1099511627776.0}}};
  for (const auto& [unit, factor] : units) {
    if (text == unit && *number * factor < 9.2e18) {
      return Bytes{static_cast<std::uint64_t>(std::llround(*number * factor))};
    }
  }
  return {};
}

std::string to_text(Bytes size) {
  constexpr std::array<std::string_view, 5> units{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(size.count);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", size.count) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string rate_in_words(Bytes done, std::chrono::duration<double> elapsed) {
  if (elapsed.count() < 1 || done.count == 0) return {};
  const auto rate = static_cast<double>(done.count) / elapsed.count();
  return ", " + to_text(Bytes{static_cast<std::uint64_t>(rate)}) + "/s";
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 5> units{
      {{"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}}};
  if (text.empty()) return {};
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return {};
    const auto unit = take_letters(text);
    const auto* found = std::find_if(units.begin(), units.end(),
                                     [&](const auto& row) { return row.first == unit; });
    if (found == units.end()) return {};
    total += *number * found->second;
    text = trim(text);
  }
  if (total > 3.2e12) return {};  // a century
  return std::chrono::milliseconds(std::llround(total));
}

std::string to_text(Seconds span) {
  const double seconds = span.count();
  if (seconds < 1) return fmt::format("{:.0f}ms", seconds * 1000);
  if (seconds < 60) return fmt::format("{:.1f}s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}min {}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h {}min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{}d {}h", whole / 86400, whole % 86400 / 3600);
}

std::string to_iso8601(Instant instant) { return format_utc(instant, 'T', "Z"); }

std::string to_postgres_timestamp(Instant instant) { return format_utc(instant, ' ', "+00"); }

std::string to_text(Instant instant, std::chrono::minutes utc_offset) {
  const auto minutes = utc_offset.count();
  const auto zone = minutes == 0 ? std::string(" UTC")
                                 : fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                               std::abs(minutes) / 60, std::abs(minutes) % 60);
  auto text = format_utc(instant + utc_offset, ' ', "");
  if (const auto dot = text.find('.'); text.substr(dot) == ".000000") text.erase(dot);
  return text + zone;
}

std::chrono::minutes utc_offset_of(std::string_view text) {
  // After the time of day: the date contains '-', too.
  const auto sign = text.find_first_of("+-", std::min<std::size_t>(text.size(), 11));
  if (sign == std::string_view::npos) return {};
  auto zone = text.substr(sign);
  return std::chrono::minutes(take_zone(zone).value_or(0));
}

std::optional<Instant> parse_instant(std::string_view text) {
  const auto year = take_int(text, 4);
  if (!year || !take(text, '-')) return {};
  const auto month = take_int(text, 2);
  if (!month || !take(text, '-')) return {};
  const auto day = take_int(text, 2);
  if (!day || (!take(text, 'T') && !take(text, ' '))) return {};
  const auto hour = take_int(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return {};
  const auto minute = take_int(text, 2);
  if (!minute || *minute > 59) return {};
  int second = 0;
  std::chrono::microseconds fraction{0};
  if (take(text, ':')) {
    const auto given = take_int(text, 2);
    if (!given || *given > 59) return {};
    second = *given;
    if (take(text, '.')) {
      const auto micros = take_fraction(text);
      if (!micros) return {};
      fraction = *micros;
    }
  }
  take(text, ' ');
  const auto zone = text == "UTC" ? std::optional<int>(0) : take_zone(text);
  if (!zone || !(text.empty() || text == "UTC")) return {};
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // system_clock counts nanoseconds in 64 bits: it ends in 2262.
  if (!date.ok() || *year < 1970 || *year > 2261) return {};
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute - *zone) + std::chrono::seconds(second) + fraction;
}

}  // namespace pgrehearse
