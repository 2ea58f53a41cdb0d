#include "harness/scenario/language/settings.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"

namespace pgrehearse {

std::string_view name_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::text:
      return "string";
    case KeyKind::boolean:
      return "true or false";
    case KeyKind::integer:
      return "whole number";
    case KeyKind::number:
      return "number";
    case KeyKind::bytes:
      return "size";
    case KeyKind::duration:
      return "duration";
    case KeyKind::percentage:
      return "percentage";
    case KeyKind::choice:
      return "choice";
    case KeyKind::absolute_path:
      return "absolute path";
    case KeyKind::path:
      return "path";
    case KeyKind::text_list:
      return "string or list of strings";
    case KeyKind::text_map:
      return "map of strings";
    case KeyKind::scalar:
      return "value";
    case KeyKind::expectation:
      return "expectation";
    case KeyKind::secret:
      return "secret";
    case KeyKind::section:
      return "map";
    case KeyKind::recovery_target:
      return "recovery target";
    case KeyKind::check_list:
      return "list of checks";
    case KeyKind::channel_list:
      return "list of channels";
  }
  return "value";
}

std::string to_text(const SourcePosition& position) {
  if (position.line == 0) return position.file;
  return fmt::format("{}:{}:{}", position.file, position.line, position.column);
}

void Settings::wrong_kind(std::string_view key) {
  throw Error(ErrorKind::internal,
              fmt::format("setting '{}' is read with a type that differs from its table", key));
}

}  // namespace pgrehearse
