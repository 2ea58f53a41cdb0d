#include "tests/fakes/require_or_skip.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace pgrehearse {

namespace {

void fail(const std::string& missing) {
  FAIL() << missing << "\nPGREHEARSE_REQUIRE=all; ci/setup --tests installs what is missing";
}

void skip(const std::string& missing) { GTEST_SKIP() << missing; }

}  // namespace

bool everything_is_required() {
  const char* required = std::getenv("PGREHEARSE_REQUIRE");
  return required != nullptr && std::string_view(required) == "all";
}

bool require_or_skip(const std::string& missing, Remedy remedy) {
  if (missing.empty()) return true;
  if (remedy == Remedy::package && everything_is_required()) {
    fail(missing);
  } else {
    skip(missing);
  }
  return false;
}

}  // namespace pgrehearse
