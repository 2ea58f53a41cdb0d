#include "checks/comparison/sequence_comparison.hpp"

#include <fmt/format.h>

namespace pgrehearse {

namespace {

// The position recorded in WAL. PostgreSQL logs 32 values ahead and counts them down in the page
// only, so that the page says (100, 10 ahead) where the WAL said 110: their sum is the same on both
// sides at any LSN. A sequence that was never called is one step before its start. long double: 64
// bits of mantissa hold every sum of two positions that a sequence can have.
long double position(const SequenceReading& reading, std::int64_t increment) {
  const auto step = static_cast<long double>(increment);
  const auto last = static_cast<long double>(reading.last_value);
  return reading.called ? last + step * static_cast<long double>(reading.logged_ahead)
                        : last - step;
}

}  // namespace

SequenceVerdict compare_sequence(const SequenceState& expected, const SequenceReading& actual) {
  const auto& before = expected.before;
  const auto& after = expected.after;
  if (!before || !after || before->file_node != after->file_node) {
    return SequenceVerdict::not_comparable;
  }
  const long double direction = expected.increment < 0 ? -1 : 1;
  const auto low = direction * position(*before, expected.increment);
  const auto high = direction * position(*after, expected.increment);
  const auto here = direction * position(actual, expected.increment);
  if (low > high || (expected.cycles && low != high)) return SequenceVerdict::not_comparable;
  if (here < low) return SequenceVerdict::below;
  return here > high ? SequenceVerdict::above : SequenceVerdict::same;
}

std::string to_text(const SequenceReading& reading) {
  if (!reading.called) return fmt::format("at {} (not yet used)", reading.last_value);
  return fmt::format("at {} (log_cnt {})", reading.last_value, reading.logged_ahead);
}

}  // namespace pgrehearse
