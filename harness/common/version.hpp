// The version of pgrehearse itself.
#pragma once

#include <string_view>

namespace pgrehearse {

// "0.1.0", from the build.
std::string_view pgrehearse_version();

}  // namespace pgrehearse
