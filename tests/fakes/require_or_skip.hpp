// How a test reports that this machine lacks something.
#pragma once

#include <string>

namespace pgrehearse {

enum class Remedy {
  package,  // ci/setup --tests installs it
  none      // nothing on this machine: a container that may not mount, an ordinary account
};

// Whether PGREHEARSE_REQUIRE is "all".
[[nodiscard]] bool everything_is_required();

// True when `missing` is empty. Otherwise marks the running test as skipped, or as failed when
// everything is required and a package would help, and returns false: the test has to return.
[[nodiscard]] bool require_or_skip(const std::string& missing, Remedy remedy = Remedy::package);

}  // namespace pgrehearse
