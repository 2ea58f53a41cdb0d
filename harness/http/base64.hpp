#pragma once

#include <string>
#include <string_view>

namespace pgrehearse {

// On one line, padded.
std::string base64(std::string_view bytes);

}  // namespace pgrehearse
