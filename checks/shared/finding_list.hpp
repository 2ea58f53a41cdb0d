// Findings of a check that may find thousands: all are counted, the first of each code are kept.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "harness/report/report.hpp"

namespace pgrehearse {

// Safe to use from several threads.
class FindingList {
 public:
  explicit FindingList(std::size_t most_of_a_code = 100) : most_(most_of_a_code) {}

  void add(Finding finding);
  // Those kept; where some of a code were not, the last of that code says how many.
  [[nodiscard]] std::vector<Finding> take();

 private:
  std::mutex mutex_;
  std::size_t most_;
  std::vector<Finding> kept_;
  std::map<FindingCode, std::uint64_t> counts_;
};

}  // namespace pgrehearse
