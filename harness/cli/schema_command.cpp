#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "harness/cli/commands.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/scenario/scenario_reference.hpp"

namespace pgrehearse {

namespace {

struct SchemaOptions {
  bool reference = false;
  bool example = false;
};

}  // namespace

CommandAction configure_schema(CLI::App& command, const CommonOptions& /*common*/) {
  auto options = std::make_shared<SchemaOptions>();
  auto* reference = command.add_flag("--reference", options->reference,
                                     "print the reference of all keys as Markdown");
  command.add_flag("--example", options->example, "print a scenario with every key")
      ->excludes(reference);
  return [options](const std::stop_token&) {
    if (options->reference) {
      std::cout << scenario_reference_markdown(all_checks());
    } else if (options->example) {
      std::cout << scenario_example();
    } else {
      std::cout << scenario_json_schema(all_checks());
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
