#include "tests/fakes/cron_daemon.hpp"

#include <cstdlib>
#include <optional>

namespace pgrehearse {

namespace {

class TimeZoneOfProcess {
 public:
  explicit TimeZoneOfProcess(const std::string& zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", zone.c_str(), 1);
    tzset();
  }
  TimeZoneOfProcess(const TimeZoneOfProcess&) = delete;
  TimeZoneOfProcess& operator=(const TimeZoneOfProcess&) = delete;
  ~TimeZoneOfProcess() {
    if (before_) {
      setenv("TZ", before_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }

 private:
  std::optional<std::string> before_;
};

// The fields of a minute of local time; the date is computed once a day.
class LocalClock {
 public:
  bool matches(const CronExpression& job, std::int64_t minute) {
    const auto day = minute / 1440;
    if (day != day_) {
      day_ = day;
      const std::time_t seconds = day * 86400;
      std::tm fields{};
      gmtime_r(&seconds, &fields);
      matches_ = job.matches_day(static_cast<unsigned>(fields.tm_mon + 1),
                                 static_cast<unsigned>(fields.tm_mday),
                                 static_cast<unsigned>(fields.tm_wday));
    }
    return matches_ && job.minutes.test(static_cast<std::size_t>(minute % 60)) &&
           job.hours.test(static_cast<std::size_t>(minute % 1440 / 60));
  }

 private:
  std::int64_t day_ = -1;
  bool matches_ = false;
};

}  // namespace

std::vector<int> offsets_of(const std::string& zone, std::time_t begin, std::size_t minutes) {
  const TimeZoneOfProcess changed(zone);
  std::vector<int> offsets(minutes);
  // Clocks change at multiples of 15 minutes.
  for (std::size_t minute = 0; minute < minutes; ++minute) {
    if (minute % 15 != 0) {
      offsets[minute] = offsets[minute - 1];
      continue;
    }
    const std::time_t at = begin + static_cast<std::time_t>(minute) * 60;
    std::tm fields{};
    localtime_r(&at, &fields);
    offsets[minute] = static_cast<int>(fields.tm_gmtoff / 60);
  }
  return offsets;
}

std::vector<std::int64_t> cron_runs(const CronExpression& job, std::int64_t first_minute,
                                    const std::vector<int>& offsets) {
  constexpr std::int64_t three_hours = 180;
  std::vector<std::int64_t> runs;
  LocalClock clock;
  std::int64_t virtual_time = first_minute + offsets.front() - 1;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const auto now = first_minute + static_cast<std::int64_t>(i);
    const auto time_running = now + offsets[i];
    bool due = false;
    const auto find_jobs = [&](std::int64_t time, bool wild, bool fixed) {
      if ((job.wildcard_time ? wild : fixed) && clock.matches(job, time)) due = true;
    };
    const auto difference = time_running - virtual_time;
    if (difference > 0 && difference <= 5) {
      do find_jobs(++virtual_time, true, true);
      while (virtual_time < time_running);
    } else if (difference > 5 && difference <= three_hours) {
      find_jobs(time_running, true, false);
      do find_jobs(++virtual_time, false, true);
      while (virtual_time < time_running);
    } else if (difference <= 0 && difference > -three_hours) {
      find_jobs(time_running, true, false);
    } else {
      virtual_time = time_running;
      find_jobs(time_running, true, true);
    }
    if (due) runs.push_back(now);
  }
  return runs;
}

}  // namespace pgrehearse
