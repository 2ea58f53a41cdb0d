#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgrehearse {

// "1 backup", "3 backups", "0 backups". An empty `plural` is the singular with an "s".
inline std::string counted(std::uint64_t number, std::string_view singular,
                           std::string_view plural = {}) {
  if (number == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", number, singular)
                        : fmt::format("{} {}", number, plural);
}

}  // namespace pgrehearse
