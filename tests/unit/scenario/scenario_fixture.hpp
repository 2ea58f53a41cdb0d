// A check table for the scenario tests, and all errors of a scenario as text.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

// amcheck, page_checksums, identity (needs the primary) and query.
std::span<const CheckDescription> fixture_checks();

// name and repository, two lines.
inline const std::string scenario_head = "name: weekly\nrepository: { stanza: orders }\n";

Scenario parse(const std::string& text, const std::vector<std::string>& overrides = {});

// "s.yaml:1:2: message | hint", one per line; empty if the scenario is valid.
std::string errors_of(const std::string& text, const std::vector<std::string>& overrides = {});

}  // namespace pgrehearse
