#pragma once

#include <string>

namespace pgrehearse {

// The name of this host, as in reports.
std::string host_name();

}  // namespace pgrehearse
