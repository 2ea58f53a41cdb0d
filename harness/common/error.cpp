#include "harness/common/error.hpp"

#include <utility>

namespace pgrehearse {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::repository:
      return "repository";
    case ErrorKind::restore:
      return "restore";
    case ErrorKind::recovery:
      return "recovery";
    case ErrorKind::startup:
      return "startup";
    case ErrorKind::environment:
      return "environment";
    case ErrorKind::interrupted:
      return "interrupted";
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, const std::string& message, std::string hint, FindingCode code,
             std::string object)
    : std::runtime_error(message),
      kind_(kind),
      hint_(std::move(hint)),
      code_(code),
      object_(std::move(object)) {}

}  // namespace pgrehearse
