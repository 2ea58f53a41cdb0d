// The JSON Schema for editors and the reference page, generated from the parser's tables.
#pragma once

#include <span>
#include <string>

#include "harness/scenario/check_description.hpp"

namespace pgrehearse {

// Draft 7, which editors support. Accepts every valid scenario, and some invalid ones.
std::string scenario_json_schema(std::span<const CheckDescription> checks);
// Markdown.
std::string scenario_reference_markdown(std::span<const CheckDescription> checks);
// A scenario with every key and its example from the table; of the sandbox, the keys of one type.
std::string scenario_example();

}  // namespace pgrehearse
