#include "harness/serve/web/refusal_log.hpp"

#include <spdlog/spdlog.h>

namespace pgrehearse {

void RefusalLog::add(std::string_view reason, std::string_view remote, std::string_view request) {
  constexpr std::size_t most_per_second = 10;
  constexpr std::size_t most_characters = 120;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
      if (in_second_ > most_per_second) {
        spdlog::warn("web: {} more requests refused", in_second_ - most_per_second);
      }
      second_ = now;
      in_second_ = 0;
    }
    if (++in_second_ > most_per_second) return;
  }
  spdlog::warn("web: refused {} from {}: {}",
               request.empty() ? "a connection" : request.substr(0, most_characters),
               remote.empty() ? "?" : remote, reason);
}

}  // namespace pgrehearse
