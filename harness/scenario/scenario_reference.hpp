// The JSON Schema for editors and the reference page, from the same tables as the parser.
#pragma once

#include <span>
#include <string>

#include "harness/scenario/check_description.hpp"

namespace pgrehearse {

// Draft 7, which editors know. A file that the parser takes is valid; not every wrong one is
// refused.
std::string scenario_json_schema(std::span<const CheckDescription> checks);
// Markdown.
std::string scenario_reference_markdown(std::span<const CheckDescription> checks);
// A scenario with every key, made of the table's examples.
std::string scenario_example();

}  // namespace pgrehearse
