// When a scenario's drills are due: a cron expression in a time zone. Changes of the clock in that
// zone (daylight saving time) are treated as cron(8) of Debian documents it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/serve/schedule/cron_expression.hpp"

namespace date {
class time_zone;
}

namespace pgrehearse {

// Zone names similar to `name`, for a hint; empty if there is none.
std::string similar_time_zone(std::string_view name);

struct ScheduleText {
  std::string cron;
  std::string zone = {};
  std::chrono::milliseconds jitter{0};
};

class Schedule {
 public:
  // `name` of the scenario: with `jitter`, drills of different names start at different times.
  Schedule(CronExpression expression, const date::time_zone& zone, ScheduleText text,
           std::string name);

  // As written, with the zone that is used.
  [[nodiscard]] const ScheduleText& text() const { return text_; }

  // The first due time after `after`; nullopt if there is none within 45 years.
  [[nodiscard]] std::optional<Instant> next_due(Instant after) const;
  // The last due time that is not after `at`; nullopt if there is none in the 45 years before.
  [[nodiscard]] std::optional<Instant> last_due(Instant at) const;

  // When the drill due at `due` starts: up to `jitter` later, the same on every host.
  [[nodiscard]] Instant start_of(Instant due) const;
  // The last due time whose start is not after `now`.
  [[nodiscard]] std::optional<Instant> last_started(Instant now) const;
  // The due time after last_started().
  [[nodiscard]] std::optional<Instant> next_to_start(Instant now) const;

  // "2026-11-28 03:00 CET"
  [[nodiscard]] std::string local_time(Instant instant) const;

 private:
  CronExpression expression_;
  const date::time_zone* zone_;
  ScheduleText text_;
  std::string name_;
};

}  // namespace pgrehearse
