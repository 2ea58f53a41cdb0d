#include "harness/serve/schedule/schedule.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;
using std::chrono::minutes;
using std::chrono::seconds;
using UtcMinutes = date::sys_time<minutes>;
using LocalMinutes = date::local_time<minutes>;

// 29 February on a given day of the week, across 2100, which is no leap year.
constexpr auto search_limit = std::chrono::days{45 * 366};
// Larger changes of a zone's clock are corrections: cron(8).
constexpr auto largest_change = 3h;

// A period with one offset from UTC, and the offset before it.
struct Period {
  UtcMinutes begin;
  UtcMinutes end;
  seconds offset;
  seconds offset_before;
};

Period period_at(const date::time_zone& zone, UtcMinutes at) {
  const auto info = zone.get_info(date::sys_seconds(at));
  // Clamped: the first and the last period of a zone are unlimited.
  const auto begin = std::max(info.begin, date::sys_seconds(at - search_limit));
  const auto end = std::min(info.end, date::sys_seconds(at + search_limit));
  return {.begin = date::ceil<minutes>(begin),
          .end = date::ceil<minutes>(end),
          .offset = info.offset,
          .offset_before =
              begin == info.begin ? zone.get_info(begin - 1s).offset : seconds(info.offset)};
}

LocalMinutes local(UtcMinutes at, seconds offset) {
  return LocalMinutes(date::floor<minutes>(at.time_since_epoch() + offset));
}

// The first match in [begin, end).
std::optional<LocalMinutes> first_match(const CronExpression& expression, LocalMinutes begin,
                                        LocalMinutes end) {
  for (auto day = date::floor<date::days>(begin); day < end; day += date::days{1}) {
    const date::year_month_day date{day};
    if (!expression.matches_day(unsigned{date.month()}, unsigned{date.day()},
                                date::weekday{day}.c_encoding())) {
      continue;
    }
    const auto minute = expression.first_match(begin - LocalMinutes(day));
    if (minute == 24h) continue;
    const auto match = day + minute;
    if (match < end) return match;
    return {};
  }
  return {};
}

// The first due time in the period that is not before `from`.
std::optional<UtcMinutes> first_due(const CronExpression& expression, const Period& period,
                                    UtcMinutes from) {
  auto begin = local(from, period.offset);
  const auto change = period.offset - period.offset_before;
  if (!expression.wildcard_time && change != 0s) {
    const auto continued = local(period.begin, period.offset_before);
    if (change > 0s && change <= largest_change && from <= period.begin) {
      // What was due in the hour that is missing is due just after it.
      if (first_match(expression, continued, local(period.begin, period.offset))) {
        return period.begin;
      }
    }
    // What was due in the hour that is repeated is not due again.
    if (change < 0s && -change < largest_change) begin = std::max(begin, continued);
  }
  const auto match = first_match(expression, begin, local(period.end, period.offset));
  if (!match) return {};
  return date::ceil<minutes>(date::sys_seconds(match->time_since_epoch() - period.offset));
}

// FNV-1a: the same on every host, unlike std::hash.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 1099511628211U;
  }
  return hash;
}

}  // namespace

std::string similar_time_zone(std::string_view name) {
  std::vector<std::string> names;
  try {
    for (const auto& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::runtime_error&) {
    return {};
  }
  for (const auto& known : names) {
    // "Berlin" for "Europe/Berlin".
    if (known.size() > name.size() && known.ends_with(name) &&
        known[known.size() - name.size() - 1] == '/') {
      return known;
    }
  }
  return nearest(name, names).value_or("");
}

Schedule::Schedule(CronExpression expression, const date::time_zone& zone, ScheduleText text,
                   std::string name)
    : expression_(expression), zone_(&zone), text_(std::move(text)), name_(std::move(name)) {
  text_.zone = zone.name();
}

std::optional<Instant> Schedule::next_due(Instant after) const {
  auto from = date::floor<minutes>(after) + 1min;
  const auto limit = from + search_limit;
  while (from < limit) {
    const auto period = period_at(*zone_, from);
    if (const auto due = first_due(expression_, period, from)) return *due;
    from = period.end;
  }
  return {};
}

std::optional<Instant> Schedule::last_due(Instant at) const {
  // Looks back twice as far each time, so that a frequent schedule needs few steps, too.
  for (seconds back = 1h; back < search_limit; back *= 2) {
    auto found = next_due(at - back);
    if (!found || *found > at) continue;
    for (auto next = found; next && *next <= at; next = next_due(*next)) found = next;
    return found;
  }
  return {};
}

Instant Schedule::start_of(Instant due) const {
  const auto most = date::floor<seconds>(text_.jitter).count();
  if (most <= 0) return due;
  const auto second = std::chrono::duration_cast<seconds>(due.time_since_epoch()).count();
  const auto hash = hash_of(fmt::format("{} {}", name_, second));
  return due + seconds(hash % static_cast<std::uint64_t>(most + 1));
}

std::optional<Instant> Schedule::last_started(Instant now) const {
  auto due = last_due(now);
  while (due && start_of(*due) > now) due = last_due(*due - 1s);
  return due;
}

std::optional<Instant> Schedule::next_to_start(Instant now) const {
  const auto last = last_started(now);
  return next_due(last ? *last : now);
}

std::string Schedule::local_time(Instant instant) const {
  return date::format("%Y-%m-%d %H:%M %Z", date::make_zoned(zone_, date::floor<minutes>(instant)));
}

}  // namespace pgrehearse
