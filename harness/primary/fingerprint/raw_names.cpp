#include "harness/primary/fingerprint/raw_names.hpp"

#include <cstdint>

#include "harness/common/utf8.hpp"

namespace pgrehearse {

namespace {

// U+10FF80 to U+10FFBF, and U+10FFC0 to U+10FFFF.
constexpr std::string_view low = "\xF4\x8F\xBE";
constexpr std::string_view high = "\xF4\x8F\xBF";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

}  // namespace

std::string escape_raw_bytes(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto character = first_character(text);
    if (character.valid) {
      escaped += text.substr(0, character.length);
    } else {
      const auto byte = byte_at(text, 0);
      escaped += byte < 0xC0 ? low : high;
      escaped += static_cast<char>(byte < 0xC0 ? byte : byte - 0x40);
    }
    text.remove_prefix(character.length);
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
