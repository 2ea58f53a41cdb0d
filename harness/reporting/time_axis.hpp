// A time axis: round ticks, and the WAL positions that belong to times.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

// Positions between known ones are interpolated.
class TimeAxis {
 public:
  // Commit times are not strictly in WAL order: a time that contradicts an earlier one is ignored.
  void know(Lsn lsn, Instant time);
  // nullopt outside the known positions.
  [[nodiscard]] std::optional<Instant> time_of(Lsn lsn) const;
  [[nodiscard]] std::optional<Lsn> lsn_at(Instant time) const;

 private:
  std::map<Lsn, Instant> known_;
};

struct AxisTick {
  Instant at;
  std::string text;  // "11-20 03:00", "03:00:15"; the first one with its date
};

// At most `most` ticks, at round times of the given offset.
std::vector<AxisTick> ticks_between(Instant begin, Instant end, std::size_t most,
                                    std::chrono::minutes utc_offset);

}  // namespace pgrehearse
