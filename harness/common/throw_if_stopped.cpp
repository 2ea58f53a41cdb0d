#include "harness/common/throw_if_stopped.hpp"

#include "harness/common/error.hpp"

namespace pgrehearse {

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
}

}  // namespace pgrehearse
