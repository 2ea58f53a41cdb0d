// A check table that belongs to the scenario's tests, and a way to see all errors as text.
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

// "s.yaml:1:2: message | hint", one a line; empty when the scenario is right.
std::string errors_of(const std::string& text, const std::vector<std::string>& overrides = {});

}  // namespace pgrehearse
