#include "checks/shared/primary_errors.hpp"

#include <fmt/format.h>

namespace pgrehearse {

Finding primary_trouble(const Primary& primary, const std::string& action, const SqlError& error) {
  const auto given = [](const std::string& text, const std::string& otherwise) {
    return text.empty() ? otherwise : text;
  };
  return {
      .code = error.code() == FindingCode::none ? FindingCode::primary_unreachable : error.code(),
      .object = given(error.object(), primary.description()),
      .message = fmt::format("{}: {}", action, error.what()),
      .hint = given(error.hint(), "run `pgrehearse doctor` to test the connection to the primary")};
}

}  // namespace pgrehearse
