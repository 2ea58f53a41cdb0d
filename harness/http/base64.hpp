#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgrehearse {

// On one line, padded.
std::string base64(std::string_view bytes);
// The same back; nullopt: not base64 on one line, padded.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace pgrehearse
