#include "harness/cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "harness/common/text.hpp"

namespace pgrehearse {

CLI::Validator one_of(std::vector<std::string> choices) {
  return CLI::Validator(
      [choices = std::move(choices)](const std::string& word) {
        if (std::find(choices.begin(), choices.end(), word) != choices.end()) return std::string();
        const auto near = nearest(word, choices);
        return fmt::format("'{}' is not one of {}{}", word, join(choices, ", "),
                           near ? fmt::format("; did you mean '{}'?", *near) : "");
      },
      "");
}

}  // namespace pgrehearse
