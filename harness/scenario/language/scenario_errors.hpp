// Everything that is wrong with one scenario, reported at once.
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

// Of kind usage. Its message holds one line an error, hints left out.
class ScenarioErrors : public Error {
 public:
  // In the order of their positions; those of overrides last.
  explicit ScenarioErrors(std::vector<ScenarioError> entries);

  [[nodiscard]] const std::vector<ScenarioError>& entries() const { return entries_; }

 private:
  std::vector<ScenarioError> entries_;
};

// "did you mean 'stanza'?", or the list of what is known.
std::string hint_for_unknown(std::string_view word, const std::vector<std::string>& known);

}  // namespace pgrehearse
