// Names in databases whose encoding cannot be converted to UTF-8 are any bytes; a fingerprint is
// JSON, which is UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace pgrehearse {

// Each byte that is not part of valid UTF-8 becomes a character between U+10FF80 and U+10FFFF, for
// private use.
std::string escape_raw_bytes(std::string_view text);
std::string unescape_raw_bytes(std::string_view text);

}  // namespace pgrehearse
