#include "harness/common/version.hpp"

namespace pgrehearse {

std::string_view pgrehearse_version() { return PGREHEARSE_VERSION; }

}  // namespace pgrehearse
