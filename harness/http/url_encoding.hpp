#pragma once

#include <string>
#include <string_view>

namespace pgrehearse {

// Percent-encodes one part of a URL's path or query.
std::string url_encoded(std::string_view text);

}  // namespace pgrehearse
