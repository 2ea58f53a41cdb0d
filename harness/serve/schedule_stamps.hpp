// From when on each schedule is in force, in <state>/serve/stamps: one file per scenario. A drill
// that was due before is not caught up.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/serve/schedule/schedule.hpp"

namespace pgrehearse {

class ScheduleStamps {
 public:
  explicit ScheduleStamps(const std::filesystem::path& state)
      : directory_(state / "serve" / "stamps") {}

  // nullopt if the schedule is new or was changed, or if the clock was ahead.
  [[nodiscard]] std::optional<Instant> stored(const std::string& scenario, const Schedule& schedule,
                                              Instant now) const;

  // The stored time, or `now`, which is then stored. Throws Error(environment).
  Instant since(const std::string& scenario, const Schedule& schedule, Instant now) const;

  // Nothing that is due until `due` is run any more.
  void settle(const std::string& scenario, const Schedule& schedule, Instant due) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace pgrehearse
