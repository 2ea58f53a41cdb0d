// Values in the output of PostgreSQL's tools: "Blocks scanned:  19555".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgrehearse {

// The number that the text starts with, after white space; nullopt without one.
std::optional<std::uint64_t> number_at_start(std::string_view text);
// What follows the label in the line; nullopt if the label is not there.
std::optional<std::string_view> text_after(std::string_view line, std::string_view label);
// The number that follows the label.
std::optional<std::uint64_t> number_after(std::string_view line, std::string_view label);

}  // namespace pgrehearse
