// Time zones of this host's database, for times that people write without a zone.
#pragma once

#include <string>
#include <string_view>

#include "harness/common/units.hpp"

namespace date {
class time_zone;
}

namespace pgrehearse {

// From the system's time zone database; nullptr if there is no zone of this name.
const date::time_zone* find_time_zone(std::string_view name);
// $TZ, else the host's zone, else UTC. Throws Error(environment) without a time zone database.
const date::time_zone& host_time_zone();

class TimeZone {
 public:
  // "Europe/Berlin". Throws Error(usage) if this host has no such zone.
  static TimeZone named(const std::string& name);
  // $TZ, else the zone of this host. Throws Error(usage) if it has none that can be read.
  static TimeZone of_terminal();

  [[nodiscard]] const std::string& name() const { return name_; }
  // A time without a zone: "2026-11-20 14:05[:30[.5]]", or "14:05[:30]" on the day of `now`. Throws
  // Error(usage) if it is none, and with the two possible instants as the hint if a change of the
  // clocks repeats or skips it.
  [[nodiscard]] Instant instant_of(std::string_view local, Instant now) const;
  // "2026-11-20 14:05:00 CET"; fractions of a second only if there are any.
  [[nodiscard]] std::string to_text(Instant instant) const;

 private:
  TimeZone(const date::time_zone* zone, std::string name) : zone_(zone), name_(std::move(name)) {}

  const date::time_zone* zone_;  // of the library's database, which is never unloaded
  std::string name_;
};

// "2026-11-20 14:05:00 CET (13:05:00 UTC)", with the date again if it differs; once if the zone is
// UTC.
std::string in_both_zones(Instant instant, const TimeZone& zone);

}  // namespace pgrehearse
