#include "harness/common/host_name.hpp"

#include <unistd.h>

#include <array>

namespace pgrehearse {

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace pgrehearse
