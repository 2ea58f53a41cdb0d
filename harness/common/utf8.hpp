// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgrehearse {

struct Utf8Character {
  char32_t code = 0;
  std::size_t length = 1;  // bytes
  bool valid = false;      // otherwise the first byte is not part of a character
};

// The first one of `text`, which is not empty.
Utf8Character first_character(std::string_view text);

}  // namespace pgrehearse
