// Refused requests in the log, a limited number per second. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

namespace pgrehearse {

class RefusalLog {
 public:
  void add(std::string_view reason, std::string_view remote, std::string_view request);

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point second_;
  std::size_t in_second_ = 0;
};

}  // namespace pgrehearse
