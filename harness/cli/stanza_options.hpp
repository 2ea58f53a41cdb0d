// The options of commands that take a scenario or only a stanza.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/scenario.hpp"

namespace CLI {
class App;
}

namespace pgrehearse {

struct StanzaOptions {
  std::filesystem::path scenario;
  std::vector<std::string> overrides;
  std::string stanza;
  std::filesystem::path configuration;
  std::optional<int> repository_key;
};

// A scenario, --set, --stanza, --config and --repo.
void add_stanza_options(CLI::App& command, StanzaOptions& options);

// The scenario, or one for the stanza that is named "<purpose>-<stanza>". Throws Error(usage).
Scenario scenario_of(const StanzaOptions& options, std::string_view purpose);

}  // namespace pgrehearse
