#include "harness/postgres/placeholder_control_file.hpp"

#include <array>
#include <cstring>

namespace pgrehearse {

namespace {

constexpr std::size_t sector = 512;  // ControlFileData fits into one (pg_control.h)

// CRC-32C, as PostgreSQL's port/pg_crc32c_sb8.c computes it.
std::uint32_t extend(std::uint32_t sum, char byte) {
  constexpr std::uint32_t polynomial = 0x82F63B78U;
  sum ^= static_cast<unsigned char>(byte);
  for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? polynomial : 0U);
  return sum;
}

std::uint32_t checksum_of(const std::string& control, std::size_t length) {
  std::uint32_t sum = ~std::uint32_t{0};
  for (std::size_t at = 0; at < length; ++at) sum = extend(sum, control[at]);
  return ~sum;
}

// The checksum is the structure's last member; its offset differs between major versions.
std::optional<std::size_t> checksum_offset(const std::string& control) {
  constexpr std::size_t shortest = 64;
  std::uint32_t sum = ~std::uint32_t{0};
  for (std::size_t at = 0; at + sizeof(sum) <= std::min(control.size(), sector); ++at) {
    std::uint32_t stored = 0;
    std::memcpy(&stored, control.data() + at, sizeof(stored));
    if (at >= shortest && stored == ~sum) return at;
    sum = extend(sum, control[at]);
  }
  return {};
}

}  // namespace

std::optional<std::string> with_system_identifier(std::string control, std::uint64_t identifier) {
  const auto offset = checksum_offset(control);
  if (!offset) return {};
  std::memcpy(control.data(), &identifier, sizeof(identifier));
  const auto sum = checksum_of(control, *offset);
  std::memcpy(control.data() + *offset, &sum, sizeof(sum));
  return control;
}

}  // namespace pgrehearse
