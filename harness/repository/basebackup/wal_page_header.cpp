#include "harness/repository/basebackup/wal_page_header.hpp"

#include <array>
#include <cstring>

namespace pgrehearse {

namespace {

constexpr std::uint16_t long_header = 0x0002;  // XLP_LONG_HEADER

struct Magic {
  std::uint16_t number;  // XLOG_PAGE_MAGIC
  int major;
};
constexpr auto magics = std::to_array<Magic>({{0xD097, 10},
                                              {0xD098, 11},
                                              {0xD101, 12},
                                              {0xD106, 13},
                                              {0xD10D, 14},
                                              {0xD110, 15},
                                              {0xD113, 16},
                                              {0xD116, 17},
                                              {0xD118, 18}});

template <typename Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  Number number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

}  // namespace

std::optional<WalPageHeader> parse_wal_page_header(std::string_view bytes) {
  if (bytes.size() < wal_page_header_size) return {};
  const auto magic = number_at<std::uint16_t>(bytes, 0);
  constexpr std::uint16_t family = 0xD000;
  if ((magic & 0xF000) != family) return {};
  if ((number_at<std::uint16_t>(bytes, 2) & long_header) == 0) return {};
  WalPageHeader header{.timeline = number_at<std::uint32_t>(bytes, 4),
                       .system_identifier = number_at<std::uint64_t>(bytes, 24),
                       .segment_size = number_at<std::uint32_t>(bytes, 32)};
  for (const auto& known : magics) {
    if (known.number == magic) header.postgres_major = known.major;
  }
  const bool power_of_two = (header.segment_size & (header.segment_size - 1)) == 0;
  constexpr std::uint64_t smallest = std::uint64_t{1} << 20U;
  constexpr std::uint64_t largest = std::uint64_t{1} << 30U;
  const bool plausible =
      power_of_two && header.segment_size >= smallest && header.segment_size <= largest;
  return plausible ? std::optional(header) : std::nullopt;
}

}  // namespace pgrehearse
