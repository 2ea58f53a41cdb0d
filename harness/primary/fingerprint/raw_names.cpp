#include "harness/primary/fingerprint/raw_names.hpp"

#include <cstdint>

namespace pgrehearse {

namespace {

// U+10FF80 to U+10FFBF, and U+10FFC0 to U+10FFFF.
constexpr std::string_view low = "\xF4\x8F\xBE";
constexpr std::string_view high = "\xF4\x8F\xBF";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

bool in_range(std::uint8_t byte, unsigned first, unsigned last) {
  return byte >= first && byte <= last;
}

// Length of the valid sequence at the beginning (RFC 3629); 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = byte_at(text, 0);
  const auto second = byte_at(text, 1);
  const bool third = in_range(byte_at(text, 2), 0x80, 0xBF);
  const bool fourth = in_range(byte_at(text, 3), 0x80, 0xBF);
  if (lead < 0x80) return 1;
  if (in_range(lead, 0xC2, 0xDF)) return in_range(second, 0x80, 0xBF) ? 2 : 0;
  if (in_range(lead, 0xE0, 0xEF)) {
    const bool valid = in_range(second, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return valid && third ? 3 : 0;
  }
  if (in_range(lead, 0xF0, 0xF4)) {
    const bool valid = in_range(second, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
    return valid && third && fourth ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string escape_raw_bytes(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length > 0) {
      escaped += text.substr(0, length);
    } else {
      const auto byte = byte_at(text, 0);
      escaped += byte < 0xC0 ? low : high;
      escaped += static_cast<char>(byte < 0xC0 ? byte : byte - 0x40);
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return escaped;
}

std::string unescape_raw_bytes(std::string_view text) {
  std::string raw;
  while (!text.empty()) {
    const bool is_low = text.starts_with(low);
    const bool is_escape = (is_low || text.starts_with(high)) && text.size() > low.size();
    if (is_escape) {
      raw += static_cast<char>(byte_at(text, low.size()) + (is_low ? 0 : 0x40));
    } else {
      raw += text.front();
    }
    text.remove_prefix(is_escape ? low.size() + 1 : 1);
  }
  return raw;
}

}  // namespace pgrehearse
