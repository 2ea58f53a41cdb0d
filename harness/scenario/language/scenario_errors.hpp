// All errors of one scenario, reported together.
#pragma once

#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct ScenarioError {
  SourcePosition position;
  std::string message;
  std::string hint;  // may be empty
};

// Error of kind usage. The message has one line per error, without hints.
class ScenarioErrors : public Error {
 public:
  // Ordered by position; errors of overrides last.
  explicit ScenarioErrors(std::vector<ScenarioError> entries);

  [[nodiscard]] const std::vector<ScenarioError>& entries() const { return entries_; }

 private:
  std::vector<ScenarioError> entries_;
};

// "did you mean 'stanza'?", or the list of known names.
std::string hint_for_unknown(std::string_view word, const std::vector<std::string>& known);

}  // namespace pgrehearse
