#include "harness/cli/stanza_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "harness/cli/wiring.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

void add_stanza_options(CLI::App& command, StanzaOptions& options) {
  command.add_option("scenario", options.scenario, "scenario with the repository and the primary")
      ->type_name("FILE");
  command.add_option("--set", options.overrides, "override a scenario value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--stanza", options.stanza, "stanza, without a scenario")->type_name("NAME");
  command.add_option("--config", options.configuration, "pgBackRest configuration file")
      ->type_name("FILE");
  command
      .add_option("--repo", options.repository_key,
                  "number of the repository, if there are several")
      ->type_name("KEY");
}

Scenario scenario_of(const StanzaOptions& options, std::string_view purpose) {
  const bool location_given =
      !options.stanza.empty() || !options.configuration.empty() || options.repository_key;
  if (options.scenario.empty() && !options.overrides.empty()) {
    throw Error(ErrorKind::usage, "--set requires a scenario",
                "give the scenario file to override");
  }
  if (!options.scenario.empty() && location_given) {
    throw Error(ErrorKind::usage,
                "--stanza, --config and --repo cannot be combined with a scenario",
                "use --set repository.stanza=NAME (or .config, .repo), or omit the scenario");
  }
  if (!options.scenario.empty()) {
    return load_scenario(options.scenario, options.overrides, all_checks());
  }
  if (options.stanza.empty()) {
    throw Error(ErrorKind::usage, "no scenario or stanza given",
                "give a scenario file, or use --stanza");
  }
  Scenario scenario{.name = fmt::format("{}-{}", purpose, options.stanza)};
  scenario.repository.stanza = options.stanza;
  if (!options.configuration.empty()) {
    scenario.repository.configuration = std::filesystem::absolute(options.configuration);
  }
  scenario.repository.key = options.repository_key;
  scenario.sandbox.type = default_sandbox_type;
  scenario.sandbox.options = LocalOptions{};
  return scenario;
}

}  // namespace pgrehearse
