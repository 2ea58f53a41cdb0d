#include "harness/scenario/check_description.hpp"

namespace pgrehearse {

std::string_view name_of(InstanceState state) {
  switch (state) {
    case InstanceState::any:
      return "any";
    case InstanceState::paused:
      return "paused";
    case InstanceState::read_write:
      return "read-write";
    case InstanceState::stopped:
      return "stopped";
  }
  return "any";
}

}  // namespace pgrehearse
