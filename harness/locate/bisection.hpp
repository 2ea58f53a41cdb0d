// The first of several events after which a condition no longer holds.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

namespace pgrehearse {

// `holds_after(i)`: whether the condition holds after event i (0 to count - 1). It holds before the
// first event. Result: an event with a true condition before it and a false one after it, found
// with about log2(count) questions; nullopt if the condition holds after the last one.
inline std::optional<std::size_t> first_false(
    std::size_t count, const std::function<bool(std::size_t event)>& holds_after) {
  if (count == 0) return {};
  std::size_t low = 0;           // holds before this event
  std::size_t high = count - 1;  // does not hold after this event
  bool high_known = false;
  while (low < high || !high_known) {
    const auto middle = low + (high - low) / 2;
    if (holds_after(middle)) {
      if (middle == count - 1) return {};
      low = middle + 1;
    } else {
      high = middle;
      high_known = true;
    }
  }
  return high;
}

}  // namespace pgrehearse
